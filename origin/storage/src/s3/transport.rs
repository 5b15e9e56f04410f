//! HTTP for the S3 client and for those that fetch its credentials.

use aws_sdk_s3::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};

/// TLS by rustls, whose certificate authorities are read at the first request and not when clients are made:
/// the credentials chain makes clients that are never used, and bare machines and containers have no
/// authorities to read.
pub(super) fn https() -> SharedHttpClient {
    let eager = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    SharedHttpClient::new(Lazy(eager))
}

/// No TLS at all, for endpoints that begin with `http://`.
pub(super) fn http() -> SharedHttpClient {
    Builder::new().build_http()
}

/// Leaves out the checks of the wrapped client that make its connector before it is needed.
#[derive(Debug)]
struct Lazy(SharedHttpClient);

impl HttpClient for Lazy {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
