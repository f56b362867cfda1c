//! Aggregates: which functions they are, and what else may be named beside them.

use super::super::ast::{Expr, Query, Select};
use super::super::error::Error;
use super::super::plan::{Aggregate, AggregateKind, Node};
use super::super::value::Type;
use super::{Binder, Groups};

/// The aggregate of a name.
pub(super) fn kind(name: &str) -> Option<AggregateKind> {
    Some(match name {
        "count" => AggregateKind::Count,
        "min" => AggregateKind::Min,
        "max" => AggregateKind::Max,
        "sum" => AggregateKind::Sum,
        "avg" => AggregateKind::Average,
        "bool_and" | "every" => AggregateKind::BoolAnd,
        "bool_or" => AggregateKind::BoolOr,
        _ => return None,
    })
}

/// The error for an aggregate where there are no groups.
pub(super) fn misplaced(name: &str) -> Error {
    match kind(name) {
        Some(_) => Error::new("42803", "aggregate functions are not allowed here"),
        None => Error::new("42809", format!("{name}(*) specified, but {name} is not an aggregate function")),
    }
}

/// The aggregates of a query, in the order in which they are met.
pub(super) fn calls(select: &Select, query: &Query) -> Vec<Expr> {
    let mut found = Vec::new();
    let targets = select.targets.iter().map(|target| &target.expr);
    for expr in targets.chain(&select.having).chain(query.order.iter().map(|order| &order.expr)) {
        collect(expr, &mut found);
    }
    found
}

/// Collects the aggregates of an expression; those of queries within belong to these.
fn collect(expr: &Expr, found: &mut Vec<Expr>) {
    match expr {
        Expr::Call { name, arguments, star, .. } => {
            if (*star || !arguments.is_empty()) && kind(name).is_some() {
                if !found.contains(expr) {
                    found.push(expr.clone());
                }
                return;
            }
            arguments.iter().for_each(|argument| collect(argument, found));
        }
        Expr::Negative(of) | Expr::Not(of) | Expr::Cast(of, _) => collect(of, found),
        Expr::IsNull { of, .. } | Expr::IsTruth { of, .. } | Expr::InQuery { of, .. } => collect(of, found),
        Expr::Binary(_, left, right) | Expr::And(left, right) | Expr::Or(left, right) => {
            collect(left, found);
            collect(right, found);
        }
        Expr::Distinct { left, right, .. } => {
            collect(left, found);
            collect(right, found);
        }
        Expr::Like { of, pattern, .. } => {
            collect(of, found);
            collect(pattern, found);
        }
        Expr::Any { of, array } => {
            collect(of, found);
            collect(array, found);
        }
        Expr::In { of, list, .. } => {
            collect(of, found);
            list.iter().for_each(|item| collect(item, found));
        }
        Expr::Row(all) | Expr::Array(all) => all.iter().for_each(|item| collect(item, found)),
        Expr::Case { of, arms, otherwise } => {
            of.iter().chain(otherwise).for_each(|part| collect(part, found));
            for (when, then) in arms {
                collect(when, found);
                collect(then, found);
            }
        }
        Expr::Literal(..)
        | Expr::Parameter(_)
        | Expr::Column { .. }
        | Expr::Star(_)
        | Expr::Exists(_)
        | Expr::Scalar(_)
        | Expr::Default => {}
    }
}

impl Binder<'_> {
    /// The groups of a query, bound over the rows of its sources. None: it has none.
    pub(super) fn groups(&mut self, select: &Select, query: &Query) -> Result<Option<(Groups, Vec<Node>)>, Error> {
        let found = calls(select, query);
        if found.is_empty() && select.group.is_empty() && select.having.is_none() {
            return Ok(None);
        }
        let mut groups = Groups::default();
        let mut keys = Vec::new();
        for key in &select.group {
            // A key may be the number or the name of a result.
            let key = super::query::by_number(key, &select.targets, "GROUP BY")?.unwrap_or(key);
            let (node, kind) = match self.expression(key) {
                Err(error) if error.code == "42703" => {
                    let alias = |name: &str| select.targets.iter().find(|target| target.alias.as_deref() == Some(name));
                    let Expr::Column { table: None, name } = key else { return Err(error) };
                    let target = alias(name).ok_or(error)?;
                    let bound = self.expression(&target.expr)?;
                    groups.keys.push(target.expr.clone());
                    groups.kinds.push(bound.1);
                    keys.push(bound.0);
                    continue;
                }
                bound => bound?,
            };
            groups.keys.push(key.clone());
            groups.kinds.push(kind);
            keys.push(node);
        }
        for call in found {
            let (aggregate, kind) = self.aggregate(&call)?;
            groups.calls.push(aggregate);
            groups.call_exprs.push((call, kind));
        }
        Ok(Some((groups, keys)))
    }

    fn aggregate(&mut self, call: &Expr) -> Result<(Aggregate, Type), Error> {
        let Expr::Call { name, arguments, star, distinct, filter } = call else { return Err(Error::syntax("")) };
        let found = kind(name).ok_or_else(|| misplaced(name))?;
        let filter = filter.as_ref().map(|filter| self.condition(filter, "FILTER")).transpose()?;
        if *star {
            if found != AggregateKind::Count {
                return Err(Error::new("42883", format!("function {name}() does not exist")));
            }
            let aggregate = Aggregate { kind: found, argument: None, distinct: false, filter };
            return Ok((aggregate, Type::Int8));
        }
        let [argument] = arguments.as_slice() else {
            return Err(Error::new("42883", format!("function {name} does not exist with these arguments")));
        };
        let (node, kind) = self.expression(argument)?;
        let none = || Error::new("42883", format!("function {name}({}) does not exist", kind.name()));
        let result = match found {
            AggregateKind::Count => Type::Int8,
            AggregateKind::Min | AggregateKind::Max if kind == Type::Bool => return Err(none()),
            AggregateKind::Min | AggregateKind::Max => kind,
            AggregateKind::Sum if kind == Type::Int4 => Type::Int8,
            AggregateKind::Sum | AggregateKind::Average if kind.is_number() => Type::Numeric,
            AggregateKind::BoolAnd | AggregateKind::BoolOr if kind == Type::Bool => Type::Bool,
            _ => return Err(none()),
        };
        let aggregate = Aggregate { kind: found, argument: Some(node), distinct: *distinct, filter };
        Ok((aggregate, result))
    }

    /// The column of a group's row that an expression is, if it is a key or an aggregate.
    pub(super) fn group_column(&mut self, expr: &Expr) -> Option<(Node, Type)> {
        let groups = self.scopes.last()?.groups.as_ref()?;
        if let Some(at) = groups.keys.iter().position(|key| same(key, expr)) {
            return Some((Node::Column { depth: 0, at }, groups.kinds[at]));
        }
        let at = groups.call_exprs.iter().position(|(call, _)| call == expr)?;
        Some((Node::Column { depth: 0, at: groups.keys.len() + at }, groups.call_exprs[at].1))
    }
}

/// Whether two expressions are the same, with or without the table's name before a column.
fn same(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::Column { table: one, name: left }, Expr::Column { table: two, name: right }) => {
            left == right && (one == two || one.is_none() || two.is_none())
        }
        _ => left == right,
    }
}
