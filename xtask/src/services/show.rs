//! Decides how services are displayed: for a person, a shell or a program.

use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::json;

use super::{Service, Variables, given, state::Home};
use crate::shell::{Tone, paint};

/// The output format.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// Lines for a shell: `eval "$(cargo xtask services up --format env)"`.
    Env,
    /// One JSON object with an entry for each service.
    Json,
    /// A table for people, and the lines for a shell.
    Text,
}

/// What is known about a service.
struct Row {
    service: Service,
    state: &'static str,
    runs: bool,
    port: Option<u16>,
    pid: Option<u32>,
    log: String,
    variables: Variables,
}

/// Displays the services. The exit code is 0 if all of them are running, otherwise 1.
pub(super) fn show(home: &Home, services: &[Service], format: Format) -> anyhow::Result<ExitCode> {
    let rows = services.iter().map(|service| row(home, *service)).collect::<anyhow::Result<Vec<Row>>>()?;
    match format {
        Format::Env => print!("{}", exports(&rows)?),
        Format::Json => println!("{}", as_json(&rows)),
        Format::Text => {
            println!("{}", table(&rows));
            print!("{}", exports(&rows)?);
        }
    }
    Ok(if rows.iter().all(|row| row.runs) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(home: &Home, service: Service) -> anyhow::Result<Row> {
    let mut held = home.hold()?;
    let kept = held.state.of(service);
    let own = kept.as_ref().map(|kept| kept.server.variables());
    let nothing =
        Row { service, state: "down", runs: false, port: None, pid: None, log: String::new(), variables: Vec::new() };
    if let Some(variables) = given::by_environment(service, own.as_ref(), |name| home.variable(name))? {
        return Ok(Row { state: "set by the environment", runs: true, variables, ..nothing });
    }
    let Some(kept) = kept else { return Ok(nothing) };
    let server = &kept.server;
    let (state, runs) = match (server.pid().is_some(), server.answers(), kept.stays) {
        (true, true, true) => ("up", true),
        (true, true, false) => ("up, while a command runs", true),
        (true, false, _) => ("runs, but does not answer", false),
        (false, ..) => ("dead", false),
    };
    let variables = if runs { server.variables() } else { Vec::new() };
    let log = server.log().display().to_string();
    Ok(Row { service, state, runs, port: Some(server.port()), pid: server.pid(), log, variables })
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["service", "port", "process", "log", "state"]);
    let shown = |number: Option<String>| number.unwrap_or_else(|| "–".to_owned());
    for row in rows {
        let state = paint(if row.runs { Tone::Good } else { Tone::Bad }, row.state);
        let port = shown(row.port.map(|port| port.to_string()));
        let pid = shown(row.pid.map(|pid| pid.to_string()));
        table.add_row([row.service.name(), &port, &pid, &row.log, &state]);
    }
    table.trim_fmt()
}

fn exports(rows: &[Row]) -> anyhow::Result<String> {
    let mut lines = String::new();
    for (name, value) in rows.iter().flat_map(|row| &row.variables) {
        let value = shlex::try_quote(value).with_context(|| format!("{name} can't be written for a shell"))?;
        lines += &format!("export {name}={value}\n");
    }
    Ok(lines)
}

fn as_json(rows: &[Row]) -> serde_json::Value {
    let row = |row: &Row| {
        let variables: serde_json::Map<_, _> =
            row.variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let (state, log) = (row.state, &row.log);
        json!({"runs": row.runs, "state": state, "port": row.port, "pid": row.pid, "log": log, "variables": variables})
    };
    rows.iter().map(|one| (one.service.name().to_owned(), row(one))).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_is_exported() -> anyhow::Result<()> {
        let variables = vec![("ONE", "postgres://a:b@127.0.0.1:1/x?y=1&z='2'".to_owned()), ("TWO", "plain".to_owned())];
        let (log, state) = (String::new(), "up");
        let rows = [Row { service: Service::D1, state, runs: true, port: None, pid: None, log, variables }];
        let script = format!("{}printf '%s|%s' \"$ONE\" \"$TWO\"", exports(&rows)?);
        let said = crate::shell::output(std::process::Command::new("/bin/sh").args(["-c", &script]))?;
        assert_eq!(said, "postgres://a:b@127.0.0.1:1/x?y=1&z='2'|plain");
        Ok(())
    }
}
