//! Scenario files: RON text to a scenario, a scenario and a seed to a plan.
