//! Expressions, weakest operator first. Precedence: manual, section 4.1.6.

use super::super::ast::Expr;
use super::super::decimal::Decimal;
use super::super::error::Error;
use super::super::lexer::Token;
use super::super::value::{Type, Value};
use super::Parser;

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expr, Error> {
        self.enter()?;
        let mut left = self.conjunction()?;
        while self.word("or") {
            self.operator()?;
            left = Expr::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        self.leave();
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expr, Error> {
        let mut left = self.negation()?;
        while self.word("and") {
            self.operator()?;
            left = Expr::And(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expr, Error> {
        let mut count = 0;
        while self.word("not") {
            self.operator()?;
            count += 1;
        }
        let mut of = self.test()?;
        for _ in 0..count {
            of = Expr::Not(Box::new(of));
        }
        Ok(of)
    }

    /// `IS ...` after a comparison.
    fn test(&mut self) -> Result<Expr, Error> {
        let mut left = self.comparison()?;
        loop {
            if self.word("isnull") {
                left = Expr::IsNull { of: Box::new(left), negated: false };
            } else if self.word("notnull") {
                left = Expr::IsNull { of: Box::new(left), negated: true };
            } else if self.word("is") {
                self.operator()?;
                let negated = self.word("not");
                let of = Box::new(left);
                left = if self.word("null") {
                    Expr::IsNull { of, negated }
                } else if self.words(&["distinct", "from"]) {
                    Expr::Distinct { left: of, right: Box::new(self.comparison()?), negated }
                } else if self.word("true") {
                    Expr::IsTruth { of, truth: Some(true), negated }
                } else if self.word("false") {
                    Expr::IsTruth { of, truth: Some(false), negated }
                } else if self.word("unknown") {
                    Expr::IsTruth { of, truth: None, negated }
                } else {
                    return Err(self.unexpected());
                };
            } else {
                return Ok(left);
            }
        }
    }

    fn comparison(&mut self) -> Result<Expr, Error> {
        let mut left = self.range()?;
        while let Some(Token::Sign(sign @ ("=" | "<" | ">" | "<=" | ">=" | "<>" | "!="))) = self.peek() {
            let operator = if *sign == "!=" { "<>" } else { sign };
            self.at += 1;
            self.operator()?;
            if operator == "=" && (self.word("any") || self.word("some")) {
                left = self.any(left)?;
                continue;
            }
            left = Expr::Binary(operator, Box::new(left), Box::new(self.range()?));
        }
        Ok(left)
    }

    /// What stands after `= ANY`.
    fn any(&mut self, of: Expr) -> Result<Expr, Error> {
        self.expect("(")?;
        let of = Box::new(of);
        let found = if self.is_query() {
            Expr::InQuery { of, query: Box::new(self.query()?), negated: false }
        } else {
            Expr::Any { of, array: Box::new(self.expression()?) }
        };
        self.expect(")")?;
        Ok(found)
    }

    /// BETWEEN, IN and LIKE.
    fn range(&mut self) -> Result<Expr, Error> {
        let left = self.concatenation()?;
        let negated =
            self.is_word(0, "not") && ["between", "in", "like", "ilike"].iter().any(|word| self.is_word(1, word));
        self.at += usize::from(negated);
        if self.word("between") {
            let symmetric = self.word("symmetric");
            let low = self.concatenation()?;
            self.expect_word("and")?;
            let high = self.concatenation()?;
            let within = |low: &Expr, high: &Expr| {
                let above = Expr::Binary(">=", Box::new(left.clone()), Box::new(low.clone()));
                let below = Expr::Binary("<=", Box::new(left.clone()), Box::new(high.clone()));
                Expr::And(Box::new(above), Box::new(below))
            };
            let mut found = within(&low, &high);
            if symmetric {
                found = Expr::Or(Box::new(found), Box::new(within(&high, &low)));
            }
            return Ok(if negated { Expr::Not(Box::new(found)) } else { found });
        }
        if self.word("in") {
            self.expect("(")?;
            let of = Box::new(left);
            let found = if self.is_query() {
                Expr::InQuery { of, query: Box::new(self.query()?), negated }
            } else {
                Expr::In { of, list: self.list(Self::expression)?, negated }
            };
            self.expect(")")?;
            return Ok(found);
        }
        let caseless = self.is_word(0, "ilike");
        if self.word("like") || self.word("ilike") {
            return Ok(Expr::Like { of: Box::new(left), pattern: Box::new(self.concatenation()?), negated, caseless });
        }
        Ok(left)
    }

    fn concatenation(&mut self) -> Result<Expr, Error> {
        self.left_associative(&["||", "|", "&", "#"], Self::sum)
    }

    fn sum(&mut self) -> Result<Expr, Error> {
        self.left_associative(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Result<Expr, Error> {
        self.left_associative(&["*", "/", "%"], Self::signed)
    }

    fn left_associative(
        &mut self,
        operators: &[&str],
        operand: fn(&mut Self) -> Result<Expr, Error>,
    ) -> Result<Expr, Error> {
        let mut left = operand(self)?;
        while let Some(Token::Sign(sign)) = self.peek() {
            let sign = *sign;
            if !operators.contains(&sign) {
                break;
            }
            self.at += 1;
            self.operator()?;
            left = Expr::Binary(sign, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, Error> {
        if self.sign("-") {
            self.operator()?;
            // The most negative integers are written with a sign before a number that alone is too large.
            if let Some(Token::Number(text)) = self.peek() {
                let literal = number(&format!("-{text}")).ok_or_else(|| self.unexpected())?;
                self.at += 1;
                return self.casts(literal);
            }
            return Ok(Expr::Negative(Box::new(self.signed()?)));
        }
        if self.sign("+") {
            self.operator()?;
            return self.signed();
        }
        let primary = self.primary()?;
        self.casts(primary)
    }

    /// `::type` after an expression, and `AT TIME ZONE`, which changes nothing where all is UTC.
    fn casts(&mut self, mut of: Expr) -> Result<Expr, Error> {
        loop {
            if self.sign("::") {
                self.operator()?;
                of = Expr::Cast(Box::new(of), self.type_name()?);
            } else if self.words(&["at", "time", "zone"]) {
                self.primary()?;
            } else if self.word("collate") {
                self.label()?;
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        let token = self.peek().cloned().ok_or_else(|| self.unexpected())?;
        match token {
            Token::Text(text) => {
                self.at += 1;
                Ok(Expr::Literal(Value::Text(text), Type::Unknown))
            }
            Token::Number(text) => {
                let literal = number(&text).ok_or_else(|| self.unexpected())?;
                self.at += 1;
                Ok(literal)
            }
            Token::Parameter(index) => {
                self.at += 1;
                Ok(Expr::Parameter(index))
            }
            Token::Sign("(") => self.parenthesis(),
            Token::Sign("*") => {
                self.at += 1;
                Ok(Expr::Star(None))
            }
            Token::Word(word) => self.keyword(&word),
            Token::Quoted(_) => self.column_or_call(),
            Token::Sign(_) => Err(self.unexpected()),
        }
    }

    fn parenthesis(&mut self) -> Result<Expr, Error> {
        self.expect("(")?;
        let found = if self.is_query() {
            Expr::Scalar(Box::new(self.query()?))
        } else {
            let mut all = self.list(Self::expression)?;
            if all.len() == 1 { all.remove(0) } else { Expr::Row(all) }
        };
        self.expect(")")?;
        Ok(found)
    }

    fn keyword(&mut self, word: &str) -> Result<Expr, Error> {
        let call = |name: &str| {
            let name = name.to_owned();
            Expr::Call { name, arguments: Vec::new(), star: false, distinct: false, filter: None }
        };
        let next_is_text = matches!(self.tokens.get(self.at + 1), Some((Token::Text(_), _)));
        match word {
            "null" => self.step(Expr::Literal(Value::Null, Type::Unknown)),
            "true" => self.step(Expr::Literal(Value::Bool(true), Type::Bool)),
            "false" => self.step(Expr::Literal(Value::Bool(false), Type::Bool)),
            "default" => self.step(Expr::Default),
            "current_timestamp" | "localtimestamp" => self.step(call("now")),
            "current_user" | "session_user" | "user" | "current_role" => self.step(call("current_user")),
            "case" => self.case(),
            "row" if self.is_sign(1, "(") => {
                self.at += 1;
                Ok(Expr::Row(self.in_parentheses(Self::expression)?))
            }
            "array" if self.is_sign(1, "[") => {
                self.at += 2;
                let items = if self.is_sign(0, "]") { Vec::new() } else { self.list(Self::expression)? };
                self.expect("]")?;
                Ok(Expr::Array(items))
            }
            "exists" if self.is_sign(1, "(") => {
                self.at += 2;
                let query = self.query()?;
                self.expect(")")?;
                Ok(Expr::Exists(Box::new(query)))
            }
            "cast" => {
                self.at += 1;
                self.expect("(")?;
                let of = self.expression()?;
                self.expect_word("as")?;
                let kind = self.type_name()?;
                self.expect(")")?;
                Ok(Expr::Cast(Box::new(of), kind))
            }
            "extract" if self.is_sign(1, "(") => {
                self.at += 2;
                let field = self.label_or_text()?;
                self.expect_word("from")?;
                let of = self.expression()?;
                self.expect(")")?;
                let arguments = vec![Expr::Literal(Value::Text(field), Type::Unknown), of];
                let name = "extract".to_owned();
                Ok(Expr::Call { name, arguments, star: false, distinct: false, filter: None })
            }
            _ if next_is_text && Type::from_name(word).is_some() => {
                let kind = self.type_name()?;
                let Some(Token::Text(text)) = self.peek().cloned() else { return Err(self.unexpected()) };
                self.at += 1;
                Ok(Expr::Cast(Box::new(Expr::Literal(Value::Text(text), Type::Unknown)), kind))
            }
            _ => self.column_or_call(),
        }
    }

    fn step(&mut self, found: Expr) -> Result<Expr, Error> {
        self.at += 1;
        Ok(found)
    }

    fn label_or_text(&mut self) -> Result<String, Error> {
        if let Some(Token::Text(text)) = self.peek().cloned() {
            self.at += 1;
            return Ok(text);
        }
        self.label()
    }

    fn case(&mut self) -> Result<Expr, Error> {
        self.expect_word("case")?;
        let of = if self.is_word(0, "when") { None } else { Some(Box::new(self.expression()?)) };
        let mut arms = Vec::new();
        while self.word("when") {
            let when = self.expression()?;
            self.expect_word("then")?;
            arms.push((when, self.expression()?));
        }
        let otherwise = if self.word("else") { Some(Box::new(self.expression()?)) } else { None };
        self.expect_word("end")?;
        Ok(Expr::Case { of, arms, otherwise })
    }

    /// `name`, `table.name`, `table.*` or `name(arguments)`.
    fn column_or_call(&mut self) -> Result<Expr, Error> {
        // `left` and `right` are functions although they are reserved.
        let callable = self.is_sign(1, "(") && (self.is_word(0, "left") || self.is_word(0, "right"));
        let name = if callable { self.label()? } else { self.name()? };
        if self.is_sign(0, "(") {
            return self.call(name);
        }
        if !self.sign(".") {
            return Ok(Expr::Column { table: None, name });
        }
        if self.sign("*") {
            return Ok(Expr::Star(Some(name)));
        }
        let second = self.label()?;
        if self.is_sign(0, "(") {
            return self.call(second);
        }
        Ok(Expr::Column { table: Some(name), name: second })
    }

    pub(super) fn call(&mut self, name: String) -> Result<Expr, Error> {
        self.expect("(")?;
        let star = self.sign("*");
        let distinct = !star && self.word("distinct");
        let arguments = if star || self.is_sign(0, ")") { Vec::new() } else { self.list(Self::expression)? };
        self.expect(")")?;
        let mut filter = None;
        if self.word("filter") {
            self.expect("(")?;
            self.expect_word("where")?;
            filter = Some(Box::new(self.expression()?));
            self.expect(")")?;
        }
        Ok(Expr::Call { name, arguments, star, distinct, filter })
    }

    /// A type, with its length or precision passed over.
    pub(super) fn type_name(&mut self) -> Result<Type, Error> {
        let name = self.label()?;
        let unknown = || Error::new("42704", format!("type \"{name}\" does not exist"));
        let kind = Type::from_name(&name).ok_or_else(unknown)?;
        match name.as_str() {
            "double" => self.expect_word("precision")?,
            "character" => _ = self.word("varying"),
            _ => {}
        }
        if self.is_sign(0, "(") {
            self.in_parentheses(Self::integer)?;
        }
        if !self.words(&["with", "time", "zone"]) {
            self.words(&["without", "time", "zone"]);
        }
        if self.sign("[") {
            self.expect("]")?;
            return Ok(Type::Array);
        }
        Ok(kind)
    }
}

/// A number is an `integer` if it fits, else a `bigint`, else a `numeric`. Manual, section 4.1.2.6.
fn number(text: &str) -> Option<Expr> {
    let whole = text.parse::<i64>().ok();
    Some(match whole {
        Some(value) if i32::try_from(value).is_ok() => Expr::Literal(Value::Int(value), Type::Int4),
        Some(value) => Expr::Literal(Value::Int(value), Type::Int8),
        None => Expr::Literal(Value::Numeric(Decimal::parse(text)?), Type::Numeric),
    })
}
