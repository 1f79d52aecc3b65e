//! Decides how a long command shows progress. A terminal gets one line that is rewritten; elsewhere, as in CI, a new
//! line appears every ten seconds. Both name the current work and its duration.

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often a terminal's line is rewritten.
const ON_A_TERMINAL: Duration = Duration::from_millis(250);
/// How often a new line is written if lines can't be rewritten.
const ELSEWHERE: Duration = Duration::from_secs(10);
/// Returns to the beginning of the line and clears it.
const REWRITE: &str = "\r\u{1b}[K";

/// Shows the current work on standard error until it is dropped.
#[derive(Debug)]
pub struct Progress {
    going_on: Option<Sender<()>>,
    shows: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts the display. Each time it is shown, it asks for the current work.
    pub fn start(says: impl Fn() -> String + Send + 'static) -> Self {
        let (going_on, ends) = mpsc::channel();
        let shows = thread::spawn(move || {
            let terminal = io::stderr().is_terminal();
            let pause = if terminal { ON_A_TERMINAL } else { ELSEWHERE };
            // A line that can't be written is no reason to stop.
            let _ = show(&says, &ends, pause, terminal, &mut io::stderr());
        });
        Self { going_on: Some(going_on), shows: Some(shows) }
    }

    /// Writes a separate line to standard error, above the one that is rewritten.
    pub fn line(line: &str) {
        let rewrite = if io::stderr().is_terminal() { REWRITE } else { "" };
        eprintln!("{rewrite}{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.going_on.take());
        if let Some(shows) = self.shows.take() {
            // The thread has nothing more to report, even if it panicked.
            let _ = shows.join();
        }
    }
}

fn show(
    says: &impl Fn() -> String,
    ends: &Receiver<()>,
    pause: Duration,
    terminal: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    let begin = Instant::now();
    let mut rewritten = false;
    while ends.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let line = format!("{}, {}", says(), elapsed(begin.elapsed()));
        match terminal {
            true => write!(to, "{REWRITE}{line}")?,
            false => writeln!(to, "{line}")?,
        }
        to.flush()?;
        rewritten = terminal;
    }
    // Later output begins on an empty line.
    if rewritten { write!(to, "{REWRITE}").and_then(|()| to.flush()) } else { Ok(()) }
}

fn elapsed(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows progress until the third time.
    fn shown(terminal: bool) -> String {
        let (going_on, ends) = mpsc::channel::<()>();
        let (times, going_on) = (std::cell::Cell::new(0), std::cell::Cell::new(Some(going_on)));
        let says = || {
            times.set(times.get() + 1);
            if times.get() == 3 {
                drop(going_on.take());
            }
            format!("{}/3 cases", times.get())
        };
        let mut told = Vec::new();
        show(&says, &ends, Duration::ZERO, terminal, &mut told).expect("memory");
        String::from_utf8(told).expect("text")
    }

    #[test]
    fn a_terminal_has_one_line_and_everything_else_has_many() {
        assert_eq!(shown(false), "1/3 cases, 0 s\n2/3 cases, 0 s\n3/3 cases, 0 s\n");
        let terminal = "\r\u{1b}[K1/3 cases, 0 s\r\u{1b}[K2/3 cases, 0 s\r\u{1b}[K3/3 cases, 0 s\r\u{1b}[K";
        assert_eq!(shown(true), terminal);
    }

    #[test]
    fn minutes_are_told_apart() {
        assert_eq!(elapsed(Duration::from_millis(59_900)), "59 s");
        assert_eq!(elapsed(Duration::from_secs(192)), "3 min 12 s");
    }
}
