//! Requests that are told on as they are, in open mode: other methods, and those with content.

use std::time::Duration;

use http::{Method, Response};
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::outgoing::{self, Cut};
use super::{Aim, Outgoing, Upstreams};
use crate::fill::Fault;

/// Content to tell on, and the sign that all of it has been sent.
#[derive(Debug, Default)]
pub(crate) struct Onward {
    pub(crate) content: Outgoing,
    pub(crate) sent: Option<oneshot::Receiver<()>>,
}

impl Upstreams {
    /// Sends a request to the first upstream that does not rest. It is sent once: nobody knows whether it may be repeated.
    ///
    /// # Errors
    /// When there is no response: the fault of the upstream, or of the client whose content did not come.
    pub(crate) async fn pass(
        &self,
        method: Method,
        aim: Aim<'_>,
        onward: Onward,
    ) -> Result<Response<Incoming>, Fault> {
        let mut order = self.bases.order(aim.target).into_iter();
        let base = self.next(&mut order, false).ok_or(Fault::Resting)?;
        let mut request = self.request(base, aim, onward.content)?;
        *request.method_mut() = method;
        let span = self.attempt(base, aim, request.headers_mut());
        let outcome = tokio::select! {
            response = self.client.request(request) => match response {
                Ok(response) => Ok(response),
                Err(error) => match outgoing::cut(&error) {
                    Some(Cut::TooLarge) => return Err(Fault::ContentTooLarge),
                    Some(Cut::Silent | Cut::Broken) => return Err(Fault::ContentBroken),
                    None => Err(self.bases.all[base].fault_of(&error)),
                },
            },
            () = silence(onward.sent, self.first_byte) => Err(Fault::FirstByte),
        };
        self.note_head(base, &outcome, false);
        super::ended(span, &outcome);
        outcome
    }
}

/// Ends when the upstream is silent for that long after it has the whole request.
async fn silence(sent: Option<oneshot::Receiver<()>>, first_byte: Duration) {
    if let Some(sent) = sent {
        // An error is the sign: the sender is dropped.
        let _ = sent.await;
    }
    sleep(first_byte).await;
}
