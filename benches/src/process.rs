//! A server under test: started, pinned to a core, looked at through `/proc`, stopped with all its children.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Failure;

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How long a server may take to end when asked to.
const STOP: Duration = Duration::from_secs(5);

/// A running server and its children; stopped when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a command, on that core only if one is given; what it says goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &[&str], core: Option<usize>, log: &Path) -> io::Result<Self> {
        let pin = core.map(|core| ["taskset".to_owned(), "-c".to_owned(), core.to_string()]);
        let mut words = pin.into_iter().flatten().chain(command.iter().map(|word| (*word).to_owned()));
        let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
        let log = fs::File::create(log)?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn()?))
    }

    /// Processor time used so far by it and its children, user and system.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = tree(self.0.id()).into_iter().map(ticks).sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Bytes of memory of it and its children, shared pages counted by share.
    #[must_use]
    pub fn memory(&self) -> u64 {
        tree(self.0.id()).into_iter().map(|pid| kib_of(pid, "smaps_rollup", "Pss:") * 1024).sum()
    }

    /// Open file descriptors of it and its children.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let count = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        tree(self.0.id()).into_iter().map(count).sum()
    }

    /// Sends a signal to those of its children whose command line begins so.
    pub fn tell_child(&self, command: &str, signal: Signal) {
        for pid in tree(self.0.id()).into_iter().skip(1) {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if line.starts_with(command.as_bytes()) {
                tell(pid, signal);
            }
        }
    }

    /// Kills it and its children without notice.
    pub fn kill(mut self) {
        tree(self.0.id()).into_iter().rev().for_each(|pid| tell(pid, Signal::KILL));
        let _ = self.0.wait();
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let all = tree(self.0.id());
        all.iter().rev().for_each(|pid| tell(*pid, Signal::TERM));
        let began = Instant::now();
        while !self.ended() && began.elapsed() < STOP {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !self.ended() {
            all.iter().rev().for_each(|pid| tell(*pid, Signal::KILL));
        }
        let _ = self.0.wait();
    }
}

/// One that has ended already is no error.
fn tell(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The process and everything below it.
fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse().ok()).flat_map(tree));
    }
    all
}

/// User and system time in clock ticks (fields 14 and 15 of `stat`, proc(5)).
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

fn kib_of(pid: u32, file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// A port of the loopback address that is free now.
///
/// # Errors
/// When none is.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until something listens on that port of the loopback address.
///
/// # Errors
/// When nothing does in time, or the process ended.
pub fn until_listening(process: &mut Process, port: u16) -> Result<(), Failure> {
    until_listening_at(process, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// The same for any address.
///
/// # Errors
/// When nothing does in time, or the process ended.
pub fn until_listening_at(process: &mut Process, address: SocketAddr) -> Result<(), Failure> {
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        if began.elapsed() > START || process.ended() {
            return Err(format!("nothing listens on {address}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_seen_with_its_children_and_stopped() {
        let script = "sh -c 'while :; do :; done' & wait";
        let mut process = Process::start(&["sh", "-c", script], None, Path::new("/dev/null")).unwrap();
        while process.cpu() < Duration::from_millis(50) {
            assert!(!process.ended());
            std::thread::sleep(Duration::from_millis(10));
        }
        let all = tree(process.0.id());
        assert_eq!(all.len(), 2);
        assert!(process.memory() > 0 && process.descriptors() >= 3);
        drop(process);
        // The child may still be being buried by its new parent.
        let runs = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
        };
        while all.iter().any(runs) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
