//! What is made from the command line's own description: completions and the manual page.

use super::Exit;
use super::arguments::Arguments;
use super::terminal::Terminal;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io;

pub(super) fn completions(shell: Shell, terminal: &mut Terminal) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "squall", &mut script);
    terminal.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// One page for all commands: the program's own, then each command's description and options.
pub(super) fn manual(terminal: &mut Terminal) -> io::Result<Exit> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let man = clap_mangen::Man::new(subcommand.clone());
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        man.render_extra_section(&mut part)?;
        let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
        page.extend(format!(".SH \"SQUALL {}\"\n", subcommand.get_name().to_uppercase()).into_bytes());
        page.extend(part.into_bytes());
    }
    terminal.raw(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
