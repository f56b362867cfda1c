//! Expressions: columns, operators and functions, with the types that they have.

use super::super::ast::Expr;
use super::super::error::Error;
use super::super::function::{self, Function};
use super::super::plan::Node;
use super::super::value::{Type, Value};
use super::{Binder, Name, Scope, coerced, common};

impl Binder<'_> {
    /// A condition: it must be a boolean.
    pub(super) fn condition(&mut self, expr: &Expr, clause: &str) -> Result<Node, Error> {
        let (node, kind) = self.expression(expr)?;
        if kind != Type::Bool && kind != Type::Unknown {
            let says = format!("argument of {clause} must be type boolean, not type {}", kind.name());
            return Err(Error::new("42804", says));
        }
        coerced(node, kind, Type::Bool)
    }

    pub(super) fn boxed(&mut self, expr: &Expr, clause: &str) -> Result<Box<Node>, Error> {
        Ok(Box::new(self.condition(expr, clause)?))
    }

    /// An expression and its type.
    pub(super) fn expression(&mut self, expr: &Expr) -> Result<(Node, Type), Error> {
        if let Some(found) = self.group_column(expr) {
            return Ok(found);
        }
        Ok(match expr {
            Expr::Literal(value, kind) => (Node::Const(value.clone()), *kind),
            Expr::Parameter(index) => {
                let none = || Error::new("42P02", format!("there is no parameter ${index}"));
                let value = self.parameters.get(index.wrapping_sub(1)).ok_or_else(none)?;
                (Node::Const(value.clone()), value.kind())
            }
            Expr::Column { table, name } => self.column(table.as_deref(), name)?,
            Expr::Star(_) | Expr::Default => {
                return Err(Error::syntax(if *expr == Expr::Default { "DEFAULT" } else { "*" }));
            }
            Expr::Negative(of) => {
                let (node, kind) = self.expression(of)?;
                if kind == Type::Unknown {
                    return Err(Error::new("42725", "operator is not unique: - unknown"));
                }
                if !kind.is_number() && kind != Type::Interval {
                    return Err(Error::new("42883", format!("operator does not exist: - {}", kind.name())));
                }
                (Node::Negative(Box::new(node)), kind)
            }
            Expr::Not(of) => (Node::Not(self.boxed(of, "NOT")?), Type::Bool),
            Expr::And(left, right) => (Node::And(self.boxed(left, "AND")?, self.boxed(right, "AND")?), Type::Bool),
            Expr::Or(left, right) => (Node::Or(self.boxed(left, "OR")?, self.boxed(right, "OR")?), Type::Bool),
            Expr::Binary(operator, left, right) => self.binary(operator, left, right)?,
            Expr::IsNull { of, negated } => match of.as_ref() {
                Expr::Row(all) => {
                    let test = |of: &Expr| Expr::IsNull { of: Box::new(of.clone()), negated: *negated };
                    let all = all.iter().map(test).reduce(|left, right| Expr::And(Box::new(left), Box::new(right)));
                    self.expression(&all.ok_or_else(|| Error::syntax(")"))?)?
                }
                of => (Node::IsNull(Box::new(self.expression(of)?.0), *negated), Type::Bool),
            },
            Expr::IsTruth { of, truth, negated } => {
                (Node::IsTruth { of: self.boxed(of, "IS TRUE")?, truth: *truth, negated: *negated }, Type::Bool)
            }
            Expr::Distinct { left, right, negated } => {
                let (left, right) = self.pair("IS DISTINCT FROM", left, right)?;
                (Node::Distinct { left: Box::new(left), right: Box::new(right), negated: *negated }, Type::Bool)
            }
            Expr::In { of, list, negated } => self.within_list(of, list, *negated)?,
            Expr::InQuery { of, query, negated } => {
                let plan = self.query(query)?;
                let (node, kind) = self.expression(of)?;
                let [(_, found)] = plan.columns.as_slice() else {
                    return Err(Error::new("42601", "subquery has too many columns"));
                };
                let (to, found) = (self.comparable("=", kind, *found)?, *found);
                let of = Box::new(coerced(node, kind, to)?);
                if found == Type::Unknown && to != Type::Text {
                    return Err(no_operator("=", kind, Type::Text));
                }
                (Node::InPlan { of, plan: Box::new(plan), negated: *negated }, Type::Bool)
            }
            Expr::Any { of, array } => match array.as_ref() {
                Expr::Array(list) => self.within_list(of, list, false)?,
                Expr::Literal(Value::Text(text), _) => {
                    let inner = text.trim_start_matches('{').trim_end_matches('}');
                    let items = inner.split(',').filter(|item| !item.is_empty());
                    let literal = |item: &str| Expr::Literal(Value::Text(item.to_owned()), Type::Unknown);
                    let list: Vec<Expr> = items.map(literal).collect();
                    self.within_list(of, &list, false)?
                }
                array => {
                    let (of, array) = (self.expression(of)?.0, self.expression(array)?);
                    let array = coerced(array.0, array.1, Type::Array)?;
                    (Node::Any { of: Box::new(of), array: Box::new(array) }, Type::Bool)
                }
            },
            Expr::Like { of, pattern, negated, caseless } => {
                let (of, pattern) = (self.text(of, "~~")?, self.text(pattern, "~~")?);
                let (negated, caseless) = (*negated, *caseless);
                (Node::Like { of: Box::new(of), pattern: Box::new(pattern), negated, caseless }, Type::Bool)
            }
            Expr::Row(_) => return Err(Error::unsupported("rows are not in the model")),
            Expr::Array(items) => {
                let items = items.iter().map(|item| Ok(self.expression(item)?.0)).collect::<Result<_, Error>>()?;
                (Node::Array(items), Type::Array)
            }
            Expr::Exists(query) => (Node::Exists(Box::new(self.query(query)?)), Type::Bool),
            Expr::Scalar(query) => {
                let plan = self.query(query)?;
                let [(_, kind)] = plan.columns.as_slice() else {
                    return Err(Error::new("42601", "subquery must return only one column"));
                };
                let kind = *kind;
                (Node::Scalar(Box::new(plan)), kind)
            }
            Expr::Case { of, arms, otherwise } => self.case(of.as_deref(), arms, otherwise.as_deref())?,
            Expr::Cast(of, kind) => {
                let (node, from) = self.expression(of)?;
                (coerced(node, from, *kind)?, *kind)
            }
            Expr::Call { name, arguments, star, .. } => {
                if *star || super::aggregate::kind(name).is_some() {
                    return Err(super::aggregate::misplaced(name));
                }
                self.call(name, arguments)?
            }
        })
    }

    fn text(&mut self, expr: &Expr, operator: &str) -> Result<Node, Error> {
        let (node, kind) = self.expression(expr)?;
        if kind != Type::Text && kind != Type::Unknown {
            return Err(no_operator(operator, kind, Type::Text));
        }
        coerced(node, kind, Type::Text)
    }

    /// A column, of the innermost query that has it.
    fn column(&mut self, table: Option<&str>, name: &str) -> Result<(Node, Type), Error> {
        let mut found = None;
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            if let Some(column) = in_scope(scope, table, name)? {
                found = Some((depth, column.at, column.kind, scope.groups.is_some()));
                break;
            }
        }
        let Some((depth, at, kind, grouped)) = found else {
            return Err(self.unknown_column(table, name));
        };
        if grouped {
            let full = table.map_or(name.to_owned(), |table| format!("{table}.{name}"));
            let says =
                format!("column \"{full}\" must appear in the GROUP BY clause or be used in an aggregate function");
            return Err(Error::new("42803", says));
        }
        for scope in self.scopes.iter_mut().rev().take(depth) {
            scope.outer = true;
        }
        Ok((Node::Column { depth, at }, kind))
    }

    fn unknown_column(&self, table: Option<&str>, name: &str) -> Error {
        let Some(table) = table else {
            return Error::new("42703", format!("column \"{name}\" does not exist"));
        };
        let known = |scope: &Scope| scope.names.iter().any(|column| column.table.as_deref() == Some(table));
        if self.scopes.iter().any(known) {
            return Error::new("42703", format!("column {table}.{name} does not exist"));
        }
        Error::new("42P01", format!("missing FROM-clause entry for table \"{table}\""))
    }

    /// The type as which two are compared.
    fn comparable(&self, operator: &str, left: Type, right: Type) -> Result<Type, Error> {
        match common(left, right) {
            Some(Type::Unknown) => Ok(Type::Text),
            Some(Type::Void) | None => Err(no_operator(operator, left, right)),
            Some(kind) => Ok(kind),
        }
    }

    /// Two expressions as values of one type.
    fn pair(&mut self, operator: &str, left: &Expr, right: &Expr) -> Result<(Node, Node), Error> {
        let (left, left_kind) = self.expression(left)?;
        let (right, right_kind) = self.expression(right)?;
        let kind = self.comparable(operator, left_kind, right_kind)?;
        // Numbers of different types are compared as they are.
        let one = |node, from: Type| if from.is_number() { Ok(node) } else { coerced(node, from, kind) };
        Ok((one(left, left_kind)?, one(right, right_kind)?))
    }

    fn binary(&mut self, operator: &'static str, left: &Expr, right: &Expr) -> Result<(Node, Type), Error> {
        if let (Expr::Row(lefts), Expr::Row(rights)) = (left, right) {
            return self.rows(operator, lefts, rights);
        }
        match operator {
            "=" | "<>" | "<" | ">" | "<=" | ">=" => {
                let (left, right) = self.pair(operator, left, right)?;
                Ok((Node::Compare(operator, Box::new(left), Box::new(right)), Type::Bool))
            }
            "||" => {
                let (left, left_kind) = self.expression(left)?;
                let (right, right_kind) = self.expression(right)?;
                let is_text = |kind| matches!(kind, Type::Text | Type::Unknown);
                if !is_text(left_kind) && !is_text(right_kind) {
                    return Err(no_operator(operator, left_kind, right_kind));
                }
                let (left, right) = (coerced(left, left_kind, Type::Text)?, coerced(right, right_kind, Type::Text)?);
                Ok((Node::Concat(Box::new(left), Box::new(right)), Type::Text))
            }
            _ => self.arithmetic(operator, left, right),
        }
    }

    /// `(a, b) = (c, d)`.
    fn rows(&mut self, operator: &'static str, lefts: &[Expr], rights: &[Expr]) -> Result<(Node, Type), Error> {
        if lefts.len() != rights.len() {
            return Err(Error::new("42601", "unequal number of entries in row expressions"));
        }
        let pairs = lefts.iter().zip(rights);
        let one =
            |(left, right): (&Expr, &Expr)| Expr::Binary(operator, Box::new(left.clone()), Box::new(right.clone()));
        let joined = match operator {
            "=" => pairs.map(one).reduce(|left, right| Expr::And(Box::new(left), Box::new(right))),
            "<>" => pairs.map(one).reduce(|left, right| Expr::Or(Box::new(left), Box::new(right))),
            _ => return Err(Error::unsupported("rows are compared for equality only in the model")),
        };
        self.expression(&joined.ok_or_else(|| Error::syntax(")"))?)
    }

    fn arithmetic(&mut self, operator: &'static str, left: &Expr, right: &Expr) -> Result<(Node, Type), Error> {
        let (left, left_kind) = self.expression(left)?;
        let (right, right_kind) = self.expression(right)?;
        if left_kind == Type::Unknown && right_kind == Type::Unknown {
            return Err(Error::new("42725", format!("operator is not unique: unknown {operator} unknown")));
        }
        // A literal has the type of the other side, unless only another makes sense.
        let adopt = |own, other| match (own, other) {
            (Type::Unknown, Type::Timestamp) if operator == "+" => Type::Interval,
            (Type::Unknown, other) => other,
            (own, _) => own,
        };
        let (one, two) = (adopt(left_kind, right_kind), adopt(right_kind, left_kind));
        let result = match (one, two) {
            _ if one.is_number() && two.is_number() => one.max(two),
            (Type::Timestamp, Type::Interval) if matches!(operator, "+" | "-") => Type::Timestamp,
            (Type::Interval, Type::Timestamp) if operator == "+" => Type::Timestamp,
            (Type::Timestamp, Type::Timestamp) if operator == "-" => Type::Interval,
            (Type::Interval, Type::Interval) if matches!(operator, "+" | "-") => Type::Interval,
            (Type::Interval, other) if other.is_number() && matches!(operator, "*" | "/") => Type::Interval,
            (other, Type::Interval) if other.is_number() && operator == "*" => Type::Interval,
            _ => return Err(no_operator(operator, left_kind, right_kind)),
        };
        if matches!(operator, "&" | "|" | "#") && !matches!(result, Type::Int4 | Type::Int8) {
            return Err(no_operator(operator, left_kind, right_kind));
        }
        let (left, right) = (coerced(left, left_kind, one)?, coerced(right, right_kind, two)?);
        Ok((Node::Arithmetic(operator, result, Box::new(left), Box::new(right)), result))
    }

    /// `of IN (list)`.
    fn within_list(&mut self, of: &Expr, list: &[Expr], negated: bool) -> Result<(Node, Type), Error> {
        if matches!(of, Expr::Row(_)) {
            let equal = |item: &Expr| Expr::Binary("=", Box::new(of.clone()), Box::new(item.clone()));
            let any = list.iter().map(equal).reduce(|left, right| Expr::Or(Box::new(left), Box::new(right)));
            let (node, kind) = self.expression(&any.ok_or_else(|| Error::syntax(")"))?)?;
            return Ok((if negated { Node::Not(Box::new(node)) } else { node }, kind));
        }
        let (of, of_kind) = self.expression(of)?;
        let items = list.iter().map(|item| self.expression(item)).collect::<Result<Vec<_>, _>>()?;
        let mut kind = of_kind;
        for (_, other) in &items {
            kind = self.comparable("=", kind, *other)?;
        }
        let of = Box::new(coerced(of, of_kind, kind)?);
        let list = items.into_iter().map(|(node, from)| coerced(node, from, kind)).collect::<Result<_, _>>()?;
        Ok((Node::In { of, list, negated }, Type::Bool))
    }

    fn case(
        &mut self,
        of: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<(Node, Type), Error> {
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in arms {
            conditions.push(match of {
                Some(of) => self.binary("=", of, when)?.0,
                None => self.condition(when, "CASE/WHEN")?,
            });
            results.push(self.expression(then)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.expression(otherwise)?,
            None => (Node::Const(Value::Null), Type::Unknown),
        });
        let (mut results, kind) = alike("CASE", results)?;
        let otherwise = Box::new(results.pop().unwrap_or(Node::Const(Value::Null)));
        Ok((Node::Case { arms: conditions.into_iter().zip(results).collect(), otherwise }, kind))
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<(Node, Type), Error> {
        let bound = arguments.iter().map(|argument| self.expression(argument)).collect::<Result<Vec<_>, _>>()?;
        let kinds: Vec<Type> = bound.iter().map(|(_, kind)| *kind).collect();
        let (function, form) = function::find(name, &kinds)?;
        if let Some((takes, gives)) = form {
            let cast = bound.into_iter().zip(takes).map(|((node, from), to)| coerced(node, from, *to));
            return Ok((Node::Call(function, cast.collect::<Result<_, _>>()?), gives));
        }
        if function == Function::Concat {
            let cast = bound.into_iter().map(|(node, from)| coerced(node, from, Type::Text));
            return Ok((Node::Call(function, cast.collect::<Result<_, _>>()?), Type::Text));
        }
        let (nodes, kind) = alike(&name.to_uppercase(), bound)?;
        Ok((Node::Call(function, nodes), kind))
    }
}

/// The column of a name in one query. None: it has no such column.
fn in_scope<'s>(scope: &'s Scope, table: Option<&str>, name: &str) -> Result<Option<&'s Name>, Error> {
    let fits = |column: &&Name| column.name == name && (table.is_none() || column.table.as_deref() == table);
    let mut all = scope.names.iter().filter(fits);
    let first = all.next();
    if all.next().is_some() {
        return Err(Error::new("42702", format!("column reference \"{name}\" is ambiguous")));
    }
    Ok(first)
}

fn no_operator(operator: &str, left: Type, right: Type) -> Error {
    Error::new("42883", format!("operator does not exist: {} {operator} {}", left.name(), right.name()))
}

/// Expressions as values of their common type.
fn alike(what: &str, bound: Vec<(Node, Type)>) -> Result<(Vec<Node>, Type), Error> {
    let mut kind = Type::Unknown;
    for (_, other) in &bound {
        kind = common(kind, *other).ok_or_else(|| {
            let says = format!("{what} types {} and {} cannot be matched", kind.name(), other.name());
            Error::new("42804", says)
        })?;
    }
    if kind == Type::Unknown {
        kind = Type::Text;
    }
    let nodes = bound.into_iter().map(|(node, from)| coerced(node, from, kind)).collect::<Result<_, _>>()?;
    Ok((nodes, kind))
}
