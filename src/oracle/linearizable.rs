//! Is this history explained by a sequential object?
