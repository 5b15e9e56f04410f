//! An S3 server in a process of its own, over a folder whose folders are its buckets: `s3 ADDRESS FOLDER`. Credentials are
//! those of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
//!
//! It is the server that the storage tests run in their own process (s3s with s3s-fs), so that it can be killed.
#![forbid(unsafe_code)]

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use segue_benches::client::Failure;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, folder] = args.as_slice() else { return Err("usage: s3 ADDRESS FOLDER".into()) };
    let secret = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let files = s3s_fs::FileSystem::new(folder).map_err(|error| format!("{folder}: {error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(secret("AWS_ACCESS_KEY_ID")?, secret("AWS_SECRET_ACCESS_KEY")?));
    let service = service.build();
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that goes away is no concern of the server's.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
