//! What the service's errors mean.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;

use crate::error::{Error, ErrorKind};

/// Sorts a failed request.
pub(super) fn sort<E>(place: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let (kind, reason) = match &error {
        SdkError::TimeoutError(_) => (ErrorKind::Timeout, "the server did not answer in time".to_owned()),
        SdkError::DispatchFailure(failure) => {
            unsent(failure.is_timeout(), failure.is_io(), failure.as_connector_error(), &error)
        }
        SdkError::ServiceError(service) => refused(service.err().code(), status),
        SdkError::ResponseError(_) if !matches!(status, Some(400..500)) => {
            (ErrorKind::Unavailable, "the answer is cut off or not S3".to_owned())
        }
        _ => (ErrorKind::Other, "the request or its answer is not valid".to_owned()),
    };
    Error::new(kind, place, reason).with_source(error)
}

/// Sorts a body that broke off.
pub(super) fn body(place: &str, error: ByteStreamError) -> Error {
    Error::new(ErrorKind::Unavailable, place, "the connection broke while the object was read")
        .with_source(error)
}

fn unsent(
    timeout: bool,
    io: bool,
    connector: Option<&ConnectorError>,
    error: &dyn std::error::Error,
) -> (ErrorKind, String) {
    if has_cause::<CredentialsError>(error) {
        let reason = "no usable credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile";
        return (ErrorKind::Denied, reason.to_owned());
    }
    let passing = io || connector.is_some_and(|error| error.as_other().is_some());
    match (timeout, passing) {
        (true, _) => (ErrorKind::Timeout, "no connection in time; check the endpoint".to_owned()),
        (_, true) => (ErrorKind::Unavailable, "no connection; check the endpoint and the network".to_owned()),
        _ => (ErrorKind::Other, "the request cannot be sent; check the endpoint".to_owned()),
    }
}

fn has_cause<T: std::error::Error + 'static>(error: &dyn std::error::Error) -> bool {
    std::iter::successors(error.source(), |error| error.source()).any(|error| error.is::<T>())
}

/// Sorts by the service's code, and by the status where there is none (answers to HEAD have no body).
fn refused(code: Option<&str>, status: Option<u16>) -> (ErrorKind, String) {
    let code = code.unwrap_or("");
    let kind = match code {
        "NoSuchBucket" => {
            return (ErrorKind::Other, "the bucket does not exist; make it or correct its name".to_owned());
        }
        "RequestTimeTooSkewed" => {
            return (ErrorKind::Denied, "this machine's clock is wrong; set it".to_owned());
        }
        "NoSuchKey" | "NotFound" => ErrorKind::NotFound,
        "InvalidRange" => ErrorKind::Range,
        "KeyTooLongError" => ErrorKind::Path,
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken" => {
            ErrorKind::Denied
        }
        "RequestTimeout" => ErrorKind::Timeout,
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "ServiceUnavailable"
        | "InternalError"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "OperationAborted" => ErrorKind::Unavailable,
        "QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded" => ErrorKind::Full,
        _ => of_status(status),
    };
    let status = status.map_or(String::new(), |status| format!(" (HTTP {status})"));
    let code = if code.is_empty() { "without a code" } else { code };
    (kind, format!("the server answered {code}{status}"))
}

fn of_status(status: Option<u16>) -> ErrorKind {
    match status {
        Some(401 | 403) => ErrorKind::Denied,
        Some(404 | 410) => ErrorKind::NotFound,
        Some(408) => ErrorKind::Timeout,
        Some(416) => ErrorKind::Range,
        Some(507) => ErrorKind::Full,
        Some(429 | 500 | 502..=504) => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_win_over_statuses() {
        let cases = [
            (Some("NoSuchKey"), Some(404), ErrorKind::NotFound),
            (Some("NoSuchBucket"), Some(404), ErrorKind::Other),
            (Some("AccessDenied"), Some(403), ErrorKind::Denied),
            (Some("RequestTimeTooSkewed"), Some(403), ErrorKind::Denied),
            (Some("SlowDown"), Some(503), ErrorKind::Unavailable),
            (Some("RequestTimeout"), Some(400), ErrorKind::Timeout),
            (Some("XMinioStorageFull"), Some(507), ErrorKind::Full),
            (Some("MalformedXML"), Some(400), ErrorKind::Other),
            (None, Some(404), ErrorKind::NotFound),
            (None, Some(416), ErrorKind::Range),
            (None, Some(502), ErrorKind::Unavailable),
            (None, Some(301), ErrorKind::Other),
            (None, None, ErrorKind::Other),
        ];
        for (code, status, kind) in cases {
            assert_eq!(refused(code, status).0, kind, "{code:?} {status:?}");
        }
    }
}
