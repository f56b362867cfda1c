//! What a statement says, before anybody looks at the tables.

use super::value::{Type, Value};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    Literal(Value, Type),
    /// `$1` is 1.
    Parameter(usize),
    Column {
        table: Option<String>,
        name: String,
    },
    /// `*` or `t.*`, in a list of results only.
    Star(Option<String>),
    Negative(Box<Expr>),
    Not(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// `IS [NOT] NULL`.
    IsNull {
        of: Box<Expr>,
        negated: bool,
    },
    /// `IS [NOT] TRUE`, `FALSE`, `UNKNOWN` (None).
    IsTruth {
        of: Box<Expr>,
        truth: Option<bool>,
        negated: bool,
    },
    /// `IS [NOT] DISTINCT FROM`.
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    In {
        of: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InQuery {
        of: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    Like {
        of: Box<Expr>,
        pattern: Box<Expr>,
        negated: bool,
        caseless: bool,
    },
    /// `(a, b)`.
    Row(Vec<Expr>),
    /// `ARRAY[...]`.
    Array(Vec<Expr>),
    /// `a = ANY (array)`.
    Any {
        of: Box<Expr>,
        array: Box<Expr>,
    },
    Exists(Box<Query>),
    Scalar(Box<Query>),
    Case {
        of: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast(Box<Expr>, Type),
    Call {
        name: String,
        arguments: Vec<Expr>,
        star: bool,
        distinct: bool,
        filter: Option<Box<Expr>>,
    },
    /// `DEFAULT`, in the values of INSERT and UPDATE only.
    Default,
}

/// One result, with the name it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) expr: Expr,
    pub(super) alias: Option<String>,
}

/// SELECT or VALUES, with what may stand around it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Query {
    pub(super) with: Vec<Cte>,
    /// More than one: joined by UNION [ALL], INTERSECT or EXCEPT from the left.
    pub(super) bodies: Vec<(SetOperation, Body)>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    pub(super) locking: Vec<Locking>,
}

/// How a body is joined to those before it; of the first it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperation {
    Union,
    UnionAll,
    Intersect,
    Except,
}

/// One SELECT or VALUES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Select(Select),
    Values(Vec<Vec<Expr>>),
}

/// `SELECT [DISTINCT] targets FROM from WHERE condition GROUP BY group HAVING having`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) targets: Vec<Target>,
    pub(super) from: Vec<From>,
    pub(super) condition: Option<Expr>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Expr>,
}

/// A source of rows, with the join that leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct From {
    pub(super) source: Source,
    pub(super) alias: Option<String>,
    pub(super) columns: Vec<String>,
    /// LEFT JOIN; otherwise the rows that do not match are left out.
    pub(super) left: bool,
    pub(super) on: Option<Expr>,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Table(String),
    Query(Query),
    Call(Expr),
}

/// One key of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) expr: Expr,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

/// How strongly a row is locked, weakest first. Manual, section 13.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowMode {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

/// What to do about a row that another has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Wait,
    NoWait,
    SkipLocked,
}

/// `FOR UPDATE OF a NOWAIT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Locking {
    pub(super) mode: RowMode,
    pub(super) of: Vec<String>,
    pub(super) patience: Patience,
}

/// `name AS (statement)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) command: Box<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Insert {
    pub(super) with: Vec<Cte>,
    pub(super) table: String,
    pub(super) alias: Option<String>,
    pub(super) columns: Vec<String>,
    /// None: DEFAULT VALUES.
    pub(super) rows: Option<Query>,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Vec<Target>,
}

/// What DO UPDATE sets, and under which condition.
pub(super) type Overwrite = (Vec<(String, Expr)>, Option<Expr>);

/// `ON CONFLICT (columns) DO ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) columns: Vec<String>,
    pub(super) constraint: Option<String>,
    /// None: DO NOTHING.
    pub(super) update: Option<Overwrite>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) with: Vec<Cte>,
    pub(super) table: String,
    pub(super) alias: Option<String>,
    pub(super) set: Vec<(String, Expr)>,
    pub(super) from: Vec<From>,
    pub(super) condition: Option<Expr>,
    pub(super) returning: Vec<Target>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delete {
    pub(super) with: Vec<Cte>,
    pub(super) table: String,
    pub(super) alias: Option<String>,
    pub(super) using: Vec<From>,
    pub(super) condition: Option<Expr>,
    pub(super) returning: Vec<Target>,
}

/// The isolation levels; READ UNCOMMITTED is READ COMMITTED. Manual, section 13.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// What BEGIN and SET TRANSACTION say; None leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Modes {
    pub(super) isolation: Option<Isolation>,
    pub(super) read_only: Option<bool>,
    pub(super) deferrable: Option<bool>,
}

/// A column of CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnDef {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) not_null: bool,
    pub(super) default: Option<Expr>,
    /// `serial` and GENERATED AS IDENTITY: counts by itself.
    pub(super) serial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CreateTable {
    pub(super) name: String,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<ColumnDef>,
    /// Unique keys with their names; the primary key is the one with `true`.
    pub(super) keys: Vec<(Option<String>, Vec<String>, bool)>,
    pub(super) checks: Vec<(Option<String>, Expr)>,
}

/// What kind of thing DROP takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Table,
    Index,
    Sequence,
}

/// One statement.
#[expect(clippy::large_enum_variant, reason = "a statement is read once, and then shared")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Select(Query),
    Insert(Insert),
    Update(Update),
    Delete(Delete),
    Begin(Modes),
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    SetTransaction(Modes),
    SetCharacteristics(Modes),
    /// None: DEFAULT.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    Show(String),
    /// None: all.
    Reset(Option<String>),
    DiscardAll,
    CreateTable(CreateTable),
    CreateIndex {
        name: Option<String>,
        table: String,
        columns: Vec<String>,
        unique: bool,
        if_not_exists: bool,
    },
    CreateSequence {
        name: String,
        if_not_exists: bool,
        start: i64,
        increment: i64,
    },
    Drop {
        what: Relation,
        names: Vec<String>,
        if_exists: bool,
    },
    Truncate(Vec<String>),
    /// The mode is its place in the table of the manual, 1 to 8.
    LockTable {
        names: Vec<String>,
        mode: u8,
        nowait: bool,
    },
    Prepare {
        name: String,
        command: Box<Command>,
    },
    Execute {
        name: String,
        arguments: Vec<Expr>,
    },
    /// None: all.
    Deallocate(Option<String>),
    /// LISTEN, NOTIFY, UNLISTEN and what else changes nothing that the model has.
    Nothing(&'static str),
}
