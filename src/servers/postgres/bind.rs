//! Names to columns, literals to values of the type that is wanted.

mod aggregate;
mod expression;
mod query;
mod write;

use super::ast::{self, Expr};
use super::catalogue::Catalogue;
use super::error::Error;
use super::heap::Xact;
use super::plan::{Aggregate, Node, View};
use super::value::{Type, Value};

/// A column that can be named.
#[derive(Clone, Debug)]
struct Name {
    table: Option<String>,
    name: String,
    kind: Type,
    /// Its place in the row.
    at: usize,
    /// Whether `*` means it too.
    starred: bool,
}

/// What is known while the groups of a query are bound.
#[derive(Clone, Debug, Default)]
struct Groups {
    keys: Vec<Expr>,
    kinds: Vec<Type>,
    calls: Vec<Aggregate>,
    call_exprs: Vec<(Expr, Type)>,
}

/// The columns of one query.
#[derive(Clone, Debug, Default)]
struct Scope {
    names: Vec<Name>,
    width: usize,
    /// Present where only groups can be named.
    groups: Option<Groups>,
    /// Whether a column of a query around this one was named.
    outer: bool,
}

/// The results of a WITH.
#[derive(Clone, Debug)]
struct With {
    name: String,
    number: usize,
    columns: Vec<(String, Type)>,
}

/// Resolves the names of one statement.
pub(super) struct Binder<'a> {
    catalogue: &'a Catalogue,
    xact: Xact,
    parameters: &'a [Value],
    /// The innermost query is the last.
    scopes: Vec<Scope>,
    with: Vec<With>,
    next: usize,
}

impl<'a> Binder<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, xact: Xact, parameters: &'a [Value]) -> Self {
        Self { catalogue, xact, parameters, scopes: Vec::new(), with: Vec::new(), next: 0 }
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a query is being bound")
    }

    /// Binds something among the columns of a new query.
    fn within<T>(&mut self, scope: Scope, bind: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.scopes.push(scope);
        let bound = bind(self);
        self.scopes.pop();
        bound
    }

    /// An expression without any columns.
    pub(super) fn constant(&mut self, expr: &Expr, kind: Type) -> Result<Node, Error> {
        self.within(Scope::default(), |binder| {
            let (node, found) = binder.expression(expr)?;
            binder.assigned(node, found, kind, "value")
        })
    }

    /// Makes a value fit a column, as an assignment does.
    fn assigned(&mut self, node: Node, from: Type, to: Type, column: &str) -> Result<Node, Error> {
        if from == to {
            return Ok(node);
        }
        let allowed = from == Type::Unknown || to == Type::Text || (from.is_number() && to.is_number());
        if !allowed {
            let says =
                format!("column \"{column}\" is of type {} but expression is of type {}", to.name(), from.name());
            return Err(Error::new("42804", says));
        }
        coerced(node, from, to)
    }
}

/// A node whose value has the type that is wanted. A literal is read at once.
fn coerced(node: Node, from: Type, to: Type) -> Result<Node, Error> {
    if from == to || to == Type::Unknown {
        return Ok(node);
    }
    if let Node::Const(value) = node {
        return Ok(Node::Const(value.cast(from, to)?));
    }
    Ok(Node::Cast(Box::new(node), from, to))
}

/// The type that two can be compared or joined as. None: they cannot.
fn common(left: Type, right: Type) -> Option<Type> {
    match (left, right) {
        _ if left == right => Some(left),
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other),
        _ if left.is_number() && right.is_number() => Some(left.max(right)),
        _ => None,
    }
}

/// The columns of a view of the system.
fn view(name: &str) -> Option<(View, &'static [(&'static str, Type)])> {
    use Type::{Bool, Int4, Int8, Text, Timestamp};
    match name {
        "pg_locks" => Some((
            View::Locks,
            &[
                ("locktype", Text),
                ("database", Int4),
                ("relation", Int4),
                ("page", Int4),
                ("tuple", Int4),
                ("virtualxid", Text),
                ("transactionid", Int4),
                ("classid", Int8),
                ("objid", Int8),
                ("objsubid", Int4),
                ("virtualtransaction", Text),
                ("pid", Int4),
                ("mode", Text),
                ("granted", Bool),
                ("fastpath", Bool),
                ("waitstart", Timestamp),
            ],
        )),
        "pg_stat_activity" => Some((
            View::Activity,
            &[
                ("datname", Text),
                ("pid", Int4),
                ("usename", Text),
                ("application_name", Text),
                ("backend_start", Timestamp),
                ("xact_start", Timestamp),
                ("query_start", Timestamp),
                ("state_change", Timestamp),
                ("wait_event_type", Text),
                ("wait_event", Text),
                ("state", Text),
                ("query", Text),
                ("backend_type", Text),
            ],
        )),
        _ => None,
    }
}

/// The name of a result for which none is given.
fn result_name(expr: &Expr) -> String {
    match expr {
        Expr::Column { name, .. } | Expr::Call { name, .. } => name.clone(),
        Expr::Cast(of, _) => result_name(of),
        Expr::Case { .. } => "case".to_owned(),
        Expr::Exists(_) => "exists".to_owned(),
        Expr::Scalar(query) => match query.bodies.first() {
            Some((_, ast::Body::Select(select))) => select.targets.first().map_or("?column?".to_owned(), |target| {
                target.alias.clone().unwrap_or_else(|| result_name(&target.expr))
            }),
            _ => "?column?".to_owned(),
        },
        Expr::Literal(Value::Bool(_), _) => "bool".to_owned(),
        _ => "?column?".to_owned(),
    }
}
