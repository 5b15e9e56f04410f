//! Fields that are for the next hop alone (RFC 9110 7.6.1), of requests and responses.

use http::header::{
    CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName};

const FIELDS: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Takes them out, with those that `Connection` names.
pub fn remove(headers: &mut HeaderMap) {
    let lines: Vec<_> = headers.get_all(CONNECTION).into_iter().cloned().collect();
    for line in &lines {
        line.to_str().unwrap_or_default().split(',').for_each(|name| drop(headers.remove(name.trim())));
    }
    FIELDS.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_next_hop_goes() {
        let fields = [
            ("connection", "x-one, Close"),
            ("x-one", "1"),
            ("connection", "x-two"),
            ("x-two", "2"),
            ("te", "trailers"),
            ("x", "3"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        remove(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x"]);
    }
}
