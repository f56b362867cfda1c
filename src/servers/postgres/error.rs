//! The errors of the server: five signs of SQLSTATE and a sentence.

/// An error as the client gets it. Source: manual, appendix A.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// SQLSTATE, five signs.
    pub code: &'static str,
    /// The primary message.
    pub message: String,
    /// True when the connection ends with it (severity FATAL).
    pub fatal: bool,
}

impl Error {
    /// An error that leaves the connection open.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fatal: false }
    }

    /// An error that ends the connection.
    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fatal: true }
    }

    pub(super) fn syntax(near: &str) -> Self {
        if near.is_empty() {
            return Self::new("42601", "syntax error at end of input");
        }
        Self::new("42601", format!("syntax error at or near \"{near}\""))
    }

    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::new("0A000", what)
    }

    pub(super) fn serialization(message: &str) -> Self {
        Self::new("40001", message)
    }

    pub(super) fn dependencies() -> Self {
        Self::serialization("could not serialize access due to read/write dependencies among transactions")
    }

    pub(super) fn failed_transaction() -> Self {
        Self::new("25P02", "current transaction is aborted, commands ignored until end of transaction block")
    }

    /// The name of the condition, as the manual's appendix A has it.
    pub fn name(&self) -> &'static str {
        NAMES.iter().find(|(code, _)| *code == self.code).map_or("internal_error", |(_, name)| name)
    }
}

/// The conditions that the model knows.
const NAMES: &[(&str, &str)] = &[
    ("08003", "connection_does_not_exist"),
    ("08P01", "protocol_violation"),
    ("0A000", "feature_not_supported"),
    ("21000", "cardinality_violation"),
    ("22001", "string_data_right_truncation"),
    ("22003", "numeric_value_out_of_range"),
    ("22007", "invalid_datetime_format"),
    ("22012", "division_by_zero"),
    ("22023", "invalid_parameter_value"),
    ("22P02", "invalid_text_representation"),
    ("2201W", "invalid_row_count_in_limit_clause"),
    ("2201X", "invalid_row_count_in_result_offset_clause"),
    ("23502", "not_null_violation"),
    ("23503", "foreign_key_violation"),
    ("23505", "unique_violation"),
    ("23514", "check_violation"),
    ("25001", "active_sql_transaction"),
    ("25006", "read_only_sql_transaction"),
    ("25P01", "no_active_sql_transaction"),
    ("25P02", "in_failed_sql_transaction"),
    ("25P03", "idle_in_transaction_session_timeout"),
    ("26000", "invalid_sql_statement_name"),
    ("2BP01", "dependent_objects_still_exist"),
    ("3B001", "invalid_savepoint_specification"),
    ("40001", "serialization_failure"),
    ("40P01", "deadlock_detected"),
    ("42601", "syntax_error"),
    ("42602", "invalid_name"),
    ("42701", "duplicate_column"),
    ("42702", "ambiguous_column"),
    ("42703", "undefined_column"),
    ("42704", "undefined_object"),
    ("42710", "duplicate_object"),
    ("42712", "duplicate_alias"),
    ("42725", "ambiguous_function"),
    ("42803", "grouping_error"),
    ("42804", "datatype_mismatch"),
    ("42809", "wrong_object_type"),
    ("42846", "cannot_coerce"),
    ("42883", "undefined_function"),
    ("42939", "reserved_name"),
    ("42P01", "undefined_table"),
    ("42P02", "undefined_parameter"),
    ("42P05", "duplicate_prepared_statement"),
    ("42P07", "duplicate_table"),
    ("42P10", "invalid_column_reference"),
    ("42P16", "invalid_table_definition"),
    ("42P18", "indeterminate_datatype"),
    ("53200", "out_of_memory"),
    ("53300", "too_many_connections"),
    ("54001", "statement_too_complex"),
    ("54023", "too_many_arguments"),
    ("55000", "object_not_in_prerequisite_state"),
    ("55006", "object_in_use"),
    ("55P02", "cant_change_runtime_param"),
    ("55P03", "lock_not_available"),
    ("57014", "query_canceled"),
    ("57P01", "admin_shutdown"),
    ("57P05", "idle_session_timeout"),
    ("2200H", "sequence_generator_limit_exceeded"),
];
