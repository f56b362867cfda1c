//! What a script says, as a tree.

use super::super::double::Double;
use super::super::reply::Bytes;

/// A script, with its functions by number.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) body: Block,
    pub(super) functions: Vec<Function>,
}

pub(super) type Block = Vec<Statement>;

/// A function that stands in a script.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<Slot>,
    pub(super) is_open: bool,
    pub(super) body: Block,
}

/// The number of a local variable, unique in its script.
pub(super) type Slot = usize;

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Local(Vec<Slot>, Vec<Expression>),
    LocalFunction(Slot, usize),
    Assign(Vec<Expression>, Vec<Expression>),
    Call(Expression),
    Do(Block),
    While(Expression, Block),
    Repeat(Block, Expression),
    If(Vec<(Expression, Block)>, Block),
    Count { slot: Slot, from: Expression, upto: Expression, step: Option<Expression>, body: Block, line: usize },
    Each { slots: Vec<Slot>, values: Vec<Expression>, body: Block, line: usize },
    Return(Vec<Expression>),
    Break,
}

/// A value to come; `line` is where its operation stands.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Nil,
    Bool(bool),
    Number(Double),
    Text(Bytes),
    Rest,
    Local {
        slot: Slot,
        name: Bytes,
        is_upvalue: bool,
    },
    Global {
        name: Bytes,
        line: usize,
    },
    Index {
        of: Box<Expression>,
        key: Box<Expression>,
        line: usize,
    },
    Call {
        function: Box<Expression>,
        arguments: Vec<Expression>,
        line: usize,
    },
    Method {
        object: Box<Expression>,
        name: Bytes,
        arguments: Vec<Expression>,
        line: usize,
    },
    Function(usize),
    Not(Box<Expression>),
    Minus(Box<Expression>, usize),
    Length(Box<Expression>, usize),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Binary {
        operator: Operator,
        left: Box<Expression>,
        right: Box<Expression>,
        line: usize,
    },
    Table(Vec<Item>, usize),
    /// In parentheses: one value, whatever is within.
    One(Box<Expression>),
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Next(Expression),
    Keyed(Expression, Expression),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Concat,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}
