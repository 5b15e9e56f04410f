//! Which streams of a connection have something to do: each rings for itself, so that the others are left alone.

use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The bells of one connection.
#[derive(Debug, Default)]
pub(super) struct Bells {
    board: Mutex<Board>,
}

#[derive(Debug, Default)]
struct Board {
    rung: Vec<u32>,
    connection: Option<Waker>,
}

/// The bell of one stream.
#[derive(Debug)]
pub(super) struct Bell {
    stream: u32,
    rings: AtomicBool,
    bells: Arc<Bells>,
}

impl Bells {
    pub(super) fn bell(self: &Arc<Self>, stream: u32) -> Arc<Bell> {
        Arc::new(Bell { stream, rings: AtomicBool::new(false), bells: self.clone() })
    }

    /// Streams that rang since the last time; later ones wake the connection.
    pub(super) fn rung(&self, connection: &Waker) -> Vec<u32> {
        let mut board = self.board();
        if !board.connection.as_ref().is_some_and(|before| before.will_wake(connection)) {
            board.connection = Some(connection.clone());
        }
        std::mem::take(&mut board.rung)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// It was heard, and may ring again.
    pub(super) fn heard(&self) {
        self.rings.store(false, std::sync::atomic::Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rings.swap(true, AcqRel) {
            return;
        }
        let mut board = self.bells.board();
        board.rung.push(self.stream);
        let connection = board.connection.take();
        drop(board);
        if let Some(connection) = connection {
            connection.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rings_once_until_it_is_heard() {
        let bells = Arc::new(Bells::default());
        let (one, two) = (bells.bell(1), bells.bell(3));
        assert!(bells.rung(Waker::noop()).is_empty());
        let waker = Waker::from(one.clone());
        waker.wake_by_ref();
        waker.wake_by_ref();
        Waker::from(two).wake();
        assert_eq!(bells.rung(Waker::noop()), [1, 3]);
        waker.wake_by_ref();
        assert!(bells.rung(Waker::noop()).is_empty(), "it was not heard yet");
        one.heard();
        waker.wake_by_ref();
        assert_eq!(bells.rung(Waker::noop()), [1]);
    }
}
