//! Statements with every name resolved: which column, which type, which function.

use super::ast::{Patience, RowMode, SetOperation};
use super::function::Function;
use super::heap::TableId;
use super::value::{Type, Value};

/// An expression that only needs rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Const(Value),
    /// A column of the row at hand (0), or of the row of a query around this one (1 and up).
    Column {
        depth: usize,
        at: usize,
    },
    Negative(Box<Node>),
    /// The operator, and the type of the result.
    Arithmetic(&'static str, Type, Box<Node>, Box<Node>),
    Concat(Box<Node>, Box<Node>),
    Compare(&'static str, Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    IsNull(Box<Node>, bool),
    IsTruth {
        of: Box<Node>,
        truth: Option<bool>,
        negated: bool,
    },
    /// Negated: IS NOT DISTINCT FROM.
    Distinct {
        left: Box<Node>,
        right: Box<Node>,
        negated: bool,
    },
    In {
        of: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    InPlan {
        of: Box<Node>,
        plan: Box<Plan>,
        negated: bool,
    },
    Any {
        of: Box<Node>,
        array: Box<Node>,
    },
    Like {
        of: Box<Node>,
        pattern: Box<Node>,
        negated: bool,
        caseless: bool,
    },
    Array(Vec<Node>),
    Exists(Box<Plan>),
    Scalar(Box<Plan>),
    /// Conditions with their results, and what holds otherwise.
    Case {
        arms: Vec<(Node, Node)>,
        otherwise: Box<Node>,
    },
    Cast(Box<Node>, Type, Type),
    Call(Function, Vec<Node>),
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its number within the statement.
    pub(super) id: usize,
    /// Whether it uses rows of the queries around it, and so has to be run for each of them.
    pub(super) correlated: bool,
    pub(super) with: Vec<(usize, Box<Action>)>,
    pub(super) bodies: Vec<(SetOperation, Body)>,
    pub(super) order: Vec<OrderKey>,
    pub(super) limit: Option<Node>,
    pub(super) offset: Option<Node>,
    pub(super) locking: Vec<RowLocking>,
    /// Name and type of each result.
    pub(super) columns: Vec<(String, Type)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Values(Vec<Vec<Node>>),
    Select(Select),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select {
    pub(super) join: Join,
    pub(super) grouping: Option<Grouping>,
    pub(super) targets: Vec<Node>,
    pub(super) distinct: bool,
}

/// The rows of several sources side by side, as far as they meet the condition.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Join {
    pub(super) sources: Vec<Source>,
    pub(super) condition: Option<Node>,
    /// How many columns the sources have together.
    pub(super) width: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    /// Where its columns begin in the row, and how many they are.
    pub(super) first: usize,
    pub(super) width: usize,
    pub(super) left: bool,
    pub(super) on: Option<Node>,
    /// A unique index of the table, and the keys that alone can meet the condition.
    pub(super) lookup: Option<(usize, Vec<Vec<Node>>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Table(TableId),
    View(View),
    Plan(Box<Plan>),
    /// The results of a WITH, by its number.
    With(usize),
    /// A function whose result is one row, or for `generate_series` and `unnest` many.
    Call(Node),
}

/// The views of the system catalogue that the model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Locks,
    Activity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grouping {
    pub(super) keys: Vec<Node>,
    pub(super) calls: Vec<Aggregate>,
    pub(super) having: Option<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aggregate {
    pub(super) kind: AggregateKind,
    pub(super) argument: Option<Node>,
    pub(super) distinct: bool,
    pub(super) filter: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AggregateKind {
    Count,
    Min,
    Max,
    Sum,
    Average,
    BoolAnd,
    BoolOr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderKey {
    /// Over the rows of the sources or groups; over the results where bodies are joined.
    pub(super) node: Node,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

/// Which source's rows are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowLocking {
    pub(super) source: usize,
    pub(super) mode: RowMode,
    pub(super) patience: Patience,
}

/// A statement that reads or writes rows.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Select(Plan),
    Insert(Insert),
    Change(Change),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Insert {
    pub(super) with: Vec<(usize, Box<Action>)>,
    pub(super) table: TableId,
    /// The column of each value of a row; None: DEFAULT VALUES.
    pub(super) rows: Option<Plan>,
    pub(super) columns: Vec<usize>,
    /// What the other columns get, and those that say DEFAULT.
    pub(super) defaults: Vec<Node>,
    /// (row, place) of each DEFAULT in VALUES.
    pub(super) default_cells: Vec<(usize, usize)>,
    /// How each value becomes one of its column: the types.
    pub(super) casts: Vec<(Type, Type)>,
    pub(super) checks: Vec<(String, Node)>,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Vec<Node>,
    pub(super) columns_out: Vec<(String, Type)>,
}

/// What DO UPDATE sets, and under which condition.
pub(super) type Overwrite = (Vec<(usize, Node)>, Option<Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// The index whose conflicts are meant; None: any.
    pub(super) index: Option<usize>,
    /// Over the row that is there and then the row that was to be (`excluded`). None: DO NOTHING.
    pub(super) update: Option<Overwrite>,
}

/// UPDATE, or DELETE if nothing is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) with: Vec<(usize, Box<Action>)>,
    pub(super) table: TableId,
    /// The table's own columns come first in the row; its source is gone through last.
    pub(super) join: Join,
    /// None: DELETE.
    pub(super) set: Option<Vec<(usize, Node)>>,
    pub(super) checks: Vec<(String, Node)>,
    pub(super) returning: Vec<Node>,
    pub(super) columns_out: Vec<(String, Type)>,
}

impl Action {
    /// Name and type of each result.
    pub(super) fn columns(&self) -> &[(String, Type)] {
        match self {
            Self::Select(plan) => &plan.columns,
            Self::Insert(insert) => &insert.columns_out,
            Self::Change(change) => &change.columns_out,
        }
    }

    /// The statements of its WITH.
    pub(super) fn with(&self) -> &[(usize, Box<Self>)] {
        match self {
            Self::Select(plan) => &plan.with,
            Self::Insert(insert) => &insert.with,
            Self::Change(change) => &change.with,
        }
    }
}

impl Node {
    /// Whether its value hangs on nothing but known columns, and asking for it does nothing.
    pub(super) fn is_known(&self, known: &dyn Fn(usize) -> bool) -> bool {
        let all = |nodes: &[Self]| nodes.iter().all(|node| node.is_known(known));
        match self {
            Self::Const(_) => true,
            Self::Column { depth, at } => *depth > 0 || known(*at),
            Self::Negative(of) | Self::Cast(of, ..) | Self::Not(of) | Self::IsNull(of, _) => of.is_known(known),
            Self::IsTruth { of, .. } => of.is_known(known),
            Self::Arithmetic(_, _, left, right)
            | Self::Concat(left, right)
            | Self::Compare(_, left, right)
            | Self::And(left, right)
            | Self::Or(left, right)
            | Self::Distinct { left, right, .. } => left.is_known(known) && right.is_known(known),
            Self::Call(function, arguments) => !function.is_volatile() && all(arguments),
            Self::Scalar(plan) => !plan.correlated,
            Self::Array(items) => all(items),
            Self::In { .. }
            | Self::InPlan { .. }
            | Self::Any { .. }
            | Self::Like { .. }
            | Self::Exists(_)
            | Self::Case { .. } => false,
        }
    }
}

impl Node {
    /// Calls for each query in an expression.
    pub(super) fn each_plan(&self, found: &mut dyn FnMut(&Plan)) {
        match self {
            Self::Const(_) | Self::Column { .. } => {}
            Self::Negative(of)
            | Self::Cast(of, ..)
            | Self::Not(of)
            | Self::IsNull(of, _)
            | Self::IsTruth { of, .. } => {
                of.each_plan(found);
            }
            Self::Arithmetic(_, _, left, right)
            | Self::Concat(left, right)
            | Self::Compare(_, left, right)
            | Self::And(left, right)
            | Self::Or(left, right)
            | Self::Distinct { left, right, .. }
            | Self::Any { of: left, array: right }
            | Self::Like { of: left, pattern: right, .. } => {
                left.each_plan(found);
                right.each_plan(found);
            }
            Self::Call(_, nodes) | Self::Array(nodes) => nodes.iter().for_each(|node| node.each_plan(found)),
            Self::In { of, list, .. } => {
                of.each_plan(found);
                list.iter().for_each(|node| node.each_plan(found));
            }
            Self::InPlan { of, plan, .. } => {
                of.each_plan(found);
                found(plan);
            }
            Self::Exists(plan) | Self::Scalar(plan) => found(plan),
            Self::Case { arms, otherwise } => {
                for (when, then) in arms {
                    when.each_plan(found);
                    then.each_plan(found);
                }
                otherwise.each_plan(found);
            }
        }
    }
}
