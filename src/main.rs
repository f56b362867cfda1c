//! The program `squall`: hands over to the library, with the systems that come with it.

fn main() -> std::process::ExitCode {
    squall::cli::main::<squall::systems::BuiltIn>()
}
