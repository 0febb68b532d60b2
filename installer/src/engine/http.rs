//! A plain HTTP GET for checks: IP literals and `localhost` only, no redirects, no TLS, bounded time and size.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;

use super::wait;

/// What a server said.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The beginning of the body, 64 KiB and a little.
    pub body: String,
}

/// Most that is read of a body, in bytes.
const BODY_MAX: usize = 64 << 10;

/// Whether anybody listens where a URL leads, `https` included, of which nothing is read.
///
/// # Errors
/// In words: not reachable, no answer in time, not a URL that can be asked.
pub fn reach(url: &str, limit: Duration) -> Result<(), String> {
    let uri: hyper::Uri = url.parse().map_err(|error| format!("{error}"))?;
    let stream = TcpStream::connect_timeout(&address_of(&uri)?, limit);
    stream.map(drop).map_err(|error| error.to_string())
}

fn address_of(uri: &hyper::Uri) -> Result<SocketAddr, String> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let ip = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        literal => literal.parse().map_err(|_| format!("`{literal}` is not an IP address"))?,
    };
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Ok(SocketAddr::new(ip, uri.port_u16().unwrap_or(usual)))
}

/// Gets a URL within `limit`.
///
/// # Errors
/// In words: not reachable, no answer in time, not a URL that can be asked.
pub fn get(url: &str, limit: Duration) -> Result<Reply, String> {
    let uri: hyper::Uri = url.parse().map_err(|error| format!("{error}"))?;
    let address = address_of(&uri)?;
    let exchange = async {
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = hyper::Request::get(path)
            .header("host", uri.authority().map_or("", |authority| authority.as_str()))
            .header("user-agent", "airlift")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let mut frames = response.into_body();
        let mut bytes = Vec::new();
        while let Some(Ok(frame)) = frames.frame().await {
            bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if bytes.len() >= BODY_MAX {
                break;
            }
        }
        connection.abort();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Reply { status, body })
    };
    wait(async { tokio::time::timeout(limit, exchange).await })
        .unwrap_or_else(|_| Err("no answer in time".to_owned()))
}
