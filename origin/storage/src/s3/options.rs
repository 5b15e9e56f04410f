//! Settings of the S3 backend, and the client made of them.

use std::fmt;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Builder, Credentials, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};

use super::transport;
use crate::error::{Error, ErrorKind};
use crate::path::check_path;

/// What S3-compatible servers are told when nobody says anything else.
const FALLBACK_REGION: &str = "us-east-1";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Smallest part of a multipart upload that S3 accepts, in bytes (the last part may be smaller).
const MIN_PART_BYTES: u64 = 5 << 20;

/// Where a bucket is and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Options {
    /// Name of the bucket; it must exist.
    pub bucket: String,
    /// Path in the bucket below which the objects lie, without slashes at its ends; empty for the whole bucket.
    pub prefix: String,
    /// `http(s)://host[:port]` of an S3-compatible server; `None` for AWS.
    pub endpoint: Option<String>,
    /// Region; `None` takes it from `AWS_REGION`, the profile or the instance, else `us-east-1`.
    pub region: Option<String>,
    /// Whether the bucket stands in the path of the URL (`http://host/bucket/…`) and not in its host name.
    pub path_style: bool,
    /// Fixed credentials; `None` takes the usual chain: environment, profile, web identity, container, instance.
    pub credentials: Option<S3Credentials>,
    /// Size in bytes of the parts in which objects of more than twice this size are uploaded; at least 5 MiB.
    /// Up to four parts are in memory at a time.
    pub part_bytes: u64,
}

/// An access key; its secret never shows in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// Public part.
    pub access_key_id: String,
    /// Secret part.
    pub secret_access_key: String,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl S3Options {
    /// AWS defaults for `bucket`.
    pub fn new(bucket: impl Into<String>) -> Self {
        S3Options {
            bucket: bucket.into(),
            prefix: String::new(),
            endpoint: None,
            region: None,
            path_style: false,
            credentials: None,
            part_bytes: 8 << 20,
        }
    }

    /// The same options for an S3-compatible server, with path-style addresses, which all of them understand.
    #[must_use]
    pub fn at(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self.path_style = true;
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |reason: &str| Err(Error::new(ErrorKind::Other, "s3 settings", reason));
        if self.bucket.is_empty() || self.bucket.contains('/') {
            return wrong("the bucket has no valid name; write s3://bucket or s3://bucket/prefix");
        }
        if !self.prefix.is_empty() {
            check_path(&self.prefix)?;
        }
        let has_scheme = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if self.endpoint.as_ref().is_some_and(|endpoint| !has_scheme(endpoint)) {
            return wrong("the endpoint must begin with http:// or https://");
        }
        if self.part_bytes < MIN_PART_BYTES {
            return wrong("parts must have at least 5 MiB");
        }
        Ok(())
    }

    pub(super) async fn client(&self) -> Client {
        let shared = self.shared_config().await;
        let mut config = Builder::from(&shared).force_path_style(self.path_style);
        if self.is_plain_http() {
            config = config.http_client(transport::http());
        }
        Client::from_conf(config.build())
    }

    /// Retries, deadlines and stalls are the business of one place, [`Retrying`](crate::Retrying). Checksums
    /// only where S3 demands them: many compatible servers refuse the trailers that carry them.
    async fn shared_config(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(transport::https())
            .region(self.region_chain())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(S3Credentials { access_key_id, secret_access_key }) = &self.credentials {
            let fixed = Credentials::new(access_key_id, secret_access_key, None, None, "segue settings");
            loader = loader.credentials_provider(fixed);
        }
        loader.load().await
    }

    /// Only AWS itself is asked through its instance metadata: elsewhere that would wait for nobody.
    fn region_chain(&self) -> RegionProviderChain {
        let chain = RegionProviderChain::first_try(self.region.clone().map(Region::new));
        let chain = match self.endpoint {
            Some(_) => chain
                .or_else(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::new()),
            None => chain.or_default_provider(),
        };
        chain.or_else(Region::from_static(FALLBACK_REGION))
    }

    fn is_plain_http(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"))
    }
}

/// Repeats inside the client, for the steps of an operation that is too long to be begun anew.
pub(super) fn quick_retries(attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_settings_that_cannot_work() {
        assert!(S3Options::new("music").at("http://localhost:9000").check().is_ok());
        assert!(S3Options::new("").check().is_err());
        assert!(S3Options::new("a/b").check().is_err());
        assert!(S3Options::new("music").at("localhost:9000").check().is_err());
        assert!(S3Options { prefix: "../x".into(), ..S3Options::new("music") }.check().is_err());
        assert!(S3Options { prefix: "a/".into(), ..S3Options::new("music") }.check().is_err());
        assert!(S3Options { part_bytes: 1, ..S3Options::new("music") }.check().is_err());
    }

    #[test]
    fn secrets_do_not_show() {
        let credentials =
            S3Credentials { access_key_id: "public".into(), secret_access_key: "hidden".into() };
        let options = S3Options { credentials: Some(credentials), ..S3Options::new("music") };
        let shown = format!("{options:?}");
        assert!(shown.contains("public") && !shown.contains("hidden"), "{shown}");
    }
}
