//! The functions that the model has: their names, what they take and what they give.

use super::error::Error;
use super::value::Type;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Advisory(Advisory),
    UnlockAll,
    Now,
    StatementTime,
    ClockTime,
    Extract,
    ToTimestamp,
    Sleep,
    BackendPid,
    Terminate,
    CancelBackend,
    BlockingPids,
    CurrentSetting,
    SetConfig,
    Version,
    User,
    Database,
    Hash,
    HashExtended,
    Length,
    Lower,
    Upper,
    Left,
    Right,
    Substring,
    Replace,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Trunc,
    Mod,
    Greatest,
    Least,
    Coalesce,
    NullIf,
    Concat,
    Cardinality,
    Nextval,
    Currval,
    Lastval,
    Setval,
    TransactionId,
    TransactionIdIfAssigned,
    InRecovery,
    Series,
    Unnest,
}

/// A function of the advisory locks. Manual, table 9.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advisory {
    pub(super) wish: Wish,
    pub(super) shared: bool,
    pub(super) transaction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Lock,
    Try,
    Unlock,
}

fn advisory(name: &str) -> Option<Advisory> {
    let (wish, rest) = if let Some(rest) = name.strip_prefix("pg_advisory_unlock") {
        (Wish::Unlock, rest)
    } else if let Some(rest) = name.strip_prefix("pg_try_advisory") {
        (Wish::Try, rest)
    } else {
        (Wish::Lock, name.strip_prefix("pg_advisory")?)
    };
    let (transaction, rest) = match (wish, rest.strip_prefix("_xact")) {
        (Wish::Unlock, _) => (false, rest),
        (_, Some(rest)) => (true, rest.strip_prefix("_lock")?),
        (_, None) => (false, rest.strip_prefix("_lock")?),
    };
    let shared = match rest {
        "" => false,
        "_shared" => true,
        _ => return None,
    };
    Some(Advisory { wish, shared, transaction })
}

fn named(name: &str) -> Option<Function> {
    if let Some(advisory) = advisory(name) {
        return Some(Function::Advisory(advisory));
    }
    Some(match name {
        "pg_advisory_unlock_all" => Function::UnlockAll,
        "now" | "transaction_timestamp" => Function::Now,
        "statement_timestamp" => Function::StatementTime,
        "clock_timestamp" => Function::ClockTime,
        "extract" | "date_part" => Function::Extract,
        "to_timestamp" => Function::ToTimestamp,
        "pg_sleep" => Function::Sleep,
        "pg_backend_pid" => Function::BackendPid,
        "pg_terminate_backend" => Function::Terminate,
        "pg_cancel_backend" => Function::CancelBackend,
        "pg_blocking_pids" => Function::BlockingPids,
        "current_setting" => Function::CurrentSetting,
        "set_config" => Function::SetConfig,
        "version" => Function::Version,
        "current_user" => Function::User,
        "current_database" | "current_catalog" => Function::Database,
        "hashtext" => Function::Hash,
        "hashtextextended" => Function::HashExtended,
        "length" | "char_length" | "character_length" => Function::Length,
        "lower" => Function::Lower,
        "upper" => Function::Upper,
        "left" => Function::Left,
        "right" => Function::Right,
        "substr" | "substring" => Function::Substring,
        "replace" => Function::Replace,
        "abs" => Function::Abs,
        "sign" => Function::Sign,
        "floor" => Function::Floor,
        "ceil" | "ceiling" => Function::Ceil,
        "round" => Function::Round,
        "trunc" => Function::Trunc,
        "mod" => Function::Mod,
        "greatest" => Function::Greatest,
        "least" => Function::Least,
        "coalesce" => Function::Coalesce,
        "nullif" => Function::NullIf,
        "concat" => Function::Concat,
        "cardinality" => Function::Cardinality,
        "nextval" => Function::Nextval,
        "currval" => Function::Currval,
        "lastval" => Function::Lastval,
        "setval" => Function::Setval,
        "txid_current" | "pg_current_xact_id" => Function::TransactionId,
        "txid_current_if_assigned" | "pg_current_xact_id_if_assigned" => Function::TransactionIdIfAssigned,
        "pg_is_in_recovery" => Function::InRecovery,
        "generate_series" => Function::Series,
        "unnest" => Function::Unnest,
        _ => return None,
    })
}

/// The forms of a function: what it takes, and what it gives. Those not here take anything alike.
fn forms(function: Function) -> &'static [(&'static [Type], Type)] {
    use Type::{Array, Bool, Int4, Int8, Interval, Numeric, Text, Timestamp, Void};
    match function {
        Function::Advisory(Advisory { wish: Wish::Lock, .. }) => &[(&[Int8], Void), (&[Int4, Int4], Void)],
        Function::Advisory(_) => &[(&[Int8], Bool), (&[Int4, Int4], Bool)],
        Function::UnlockAll => &[(&[], Void)],
        Function::Now | Function::StatementTime | Function::ClockTime => &[(&[], Timestamp)],
        Function::Extract => &[(&[Text, Timestamp], Numeric), (&[Text, Interval], Numeric)],
        Function::ToTimestamp => &[(&[Numeric], Timestamp)],
        Function::Sleep => &[(&[Numeric], Void)],
        Function::BackendPid => &[(&[], Int4)],
        Function::Terminate => &[(&[Int4], Bool), (&[Int4, Int8], Bool)],
        Function::CancelBackend => &[(&[Int4], Bool)],
        Function::BlockingPids => &[(&[Int4], Array)],
        Function::CurrentSetting => &[(&[Text], Text), (&[Text, Bool], Text)],
        Function::SetConfig => &[(&[Text, Text, Bool], Text)],
        Function::Version | Function::User | Function::Database => &[(&[], Text)],
        Function::Hash => &[(&[Text], Int4)],
        Function::HashExtended => &[(&[Text, Int8], Int8)],
        Function::Length => &[(&[Text], Int4)],
        Function::Lower | Function::Upper => &[(&[Text], Text)],
        Function::Left | Function::Right => &[(&[Text, Int4], Text)],
        Function::Substring => &[(&[Text, Int4], Text), (&[Text, Int4, Int4], Text)],
        Function::Replace => &[(&[Text, Text, Text], Text)],
        Function::Abs | Function::Sign => &[(&[Int4], Int4), (&[Int8], Int8), (&[Numeric], Numeric)],
        Function::Floor | Function::Ceil => &[(&[Numeric], Numeric)],
        Function::Round | Function::Trunc => &[(&[Numeric], Numeric), (&[Numeric, Int4], Numeric)],
        Function::Mod => &[(&[Int4, Int4], Int4), (&[Int8, Int8], Int8), (&[Numeric, Numeric], Numeric)],
        Function::Cardinality => &[(&[Array], Int4)],
        Function::Nextval | Function::Currval => &[(&[Text], Int8)],
        Function::Lastval | Function::TransactionId | Function::TransactionIdIfAssigned => &[(&[], Int8)],
        Function::Setval => &[(&[Text, Int8], Int8), (&[Text, Int8, Bool], Int8)],
        Function::InRecovery => &[(&[], Bool)],
        Function::Series => &[(&[Int4, Int4], Int4), (&[Int8, Int8], Int8)],
        Function::Unnest => &[(&[Array], Int4)],
        Function::Greatest | Function::Least | Function::Coalesce | Function::NullIf | Function::Concat => &[],
    }
}

impl Function {
    /// Whether it gives NULL as soon as it is given one.
    pub(super) fn is_strict(self) -> bool {
        !matches!(self, Self::Greatest | Self::Least | Self::Coalesce | Self::NullIf | Self::Concat | Self::SetConfig)
    }

    /// Whether it does something, or gives something else each time: then it must not be called again
    /// for a statement that goes on after a wait.
    pub(super) fn is_volatile(self) -> bool {
        matches!(
            self,
            Self::Advisory(_)
                | Self::UnlockAll
                | Self::ClockTime
                | Self::Sleep
                | Self::Terminate
                | Self::CancelBackend
                | Self::BlockingPids
                | Self::SetConfig
                | Self::Nextval
                | Self::Setval
        )
    }
}

/// The types that a function takes, and the one that it gives.
pub(super) type Form = (&'static [Type], Type);

/// Finds the function that fits the types, the types to which its arguments are cast, and its result.
/// A function that takes anything alike has no types: then the result is the arguments' common type.
///
/// # Errors
///
/// 42883 when there is none.
pub(super) fn find(name: &str, given: &[Type]) -> Result<(Function, Option<Form>), Error> {
    let none = || {
        let types: Vec<&str> = given.iter().map(|kind| kind.name()).collect();
        Error::new("42883", format!("function {name}({}) does not exist", types.join(", ")))
    };
    let function = named(name).ok_or_else(none)?;
    let forms = forms(function);
    if forms.is_empty() {
        let count = if function == Function::NullIf { given.len() == 2 } else { !given.is_empty() };
        return if count { Ok((function, None)) } else { Err(Error::syntax(")")) };
    }
    let fits = |form: &&(&[Type], Type)| {
        form.0.len() == given.len() && form.0.iter().zip(given).all(|(takes, given)| widens(*given, *takes))
    };
    let form = forms.iter().find(fits).ok_or_else(none)?;
    Ok((function, Some(*form)))
}

/// Whether a type is taken for another without a cast being written.
fn widens(given: Type, takes: Type) -> bool {
    given == takes
        || given == Type::Unknown
        || matches!((given, takes), (Type::Int4, Type::Int8 | Type::Numeric) | (Type::Int8, Type::Numeric))
}
