//! Work that nobody waits for: left by any worker, done by one of them, some at a time.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use crate::server::Worker;

/// What waits to be done.
#[derive(Debug)]
pub(crate) struct Backlog<T> {
    queue: mpsc::Sender<T>,
    waiting: Mutex<Option<mpsc::Receiver<T>>>,
}

impl<T: Send + 'static> Backlog<T> {
    /// For so many at most.
    pub(crate) fn new(room: usize) -> Self {
        let (queue, waiting) = mpsc::channel(room);
        Self { queue, waiting: Mutex::new(Some(waiting)) }
    }

    /// Whether there is room for another one.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.capacity() > 0
    }

    /// Leaves something to be done; `false` where there is no room.
    pub(crate) fn leave(&self, work: T) -> bool {
        self.queue.try_send(work).is_ok()
    }

    /// Does what is left, `at_once` at one time, until the edge drains. The first who asks does it all.
    pub(crate) async fn work_off<F>(
        &self,
        mut worker: Arc<Worker>,
        at_once: usize,
        act: impl Fn(Arc<Worker>, T) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
        let room = Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)));
        while let Some(work) = waiting.recv().await {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            Worker::renew(&mut worker);
            if worker.edge.is_draining() {
                return;
            }
            let acting = act(worker.clone(), work);
            tokio::spawn(async move {
                let _permit = permit;
                acting.await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_wait() {
        let backlog = Backlog::new(2);
        assert!(backlog.leave(1) && backlog.has_room() && backlog.leave(2));
        assert!(!backlog.has_room() && !backlog.leave(3));
    }
}
