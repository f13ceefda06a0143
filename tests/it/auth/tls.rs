//! Certificates: a server's, signed by an authority that only `api.ca_file` knows, and the client's
//! own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::mock::summary;
use crate::support::Job;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tls")
        .join(name)
}

/// A server on TLS that knows no contact; where asked to, it wants a certificate of its clients.
fn serve(wants_certificate: bool) -> String {
    serve_as("server", wants_certificate)
}

/// The same, with this certificate and key.
fn serve_as(name: &str, wants_certificate: bool) -> String {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(data("ca.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if wants_certificate {
        builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap(),
        )
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_file(data(&format!("{name}.pem"))).unwrap()];
    let config = Arc::new(
        builder
            .with_single_cert(
                chain,
                PrivateKeyDer::from_pem_file(data(&format!("{name}-key.pem"))).unwrap(),
            )
            .unwrap(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    // The thread waits for clients as long as the tests last.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = StreamOwned::new(
                ServerConnection::new(Arc::clone(&config)).unwrap(),
                stream.unwrap(),
            );
            // A client that does not trust the server, or is not trusted, goes away.
            drop(answer(stream));
        }
    });
    address
}

fn answer(stream: StreamOwned<ServerConnection, std::net::TcpStream>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    let stream = reader.get_mut();
    let body = summary(1).to_string();
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn job(address: &str) -> Job {
    Job::new(address)
        .with("fetch.patience = \"0s\"")
        .with("fetch.max_attempts = 1")
        .ids([1])
}

#[test]
fn a_server_is_trusted_by_the_authority_of_the_job_alone() {
    let address = serve(false);
    let trusting = job(&address).with(&format!("api.ca_file = \"{}\"", data("ca.pem").display()));
    trusting.run().expect(0);
    assert_eq!(trusting.export().manifest()["outcomes"]["exported"], 1);
    let untrusted = job(&address);
    let checked = untrusted
        .finish(
            untrusted
                .command()
                .args(["check", "job.toml"])
                .spawn()
                .unwrap(),
        )
        .expect(4);
    let cause = "invalid peer certificate: UnknownIssuer";
    assert!(
        checked.stdout.contains(&format!(
            "✗ access   the API gave no answer (connection): {cause}\n"
        )),
        "{}",
        checked.stdout
    );
    let untrusted = untrusted.with("fetch.patience = \"1h\"");
    let run = untrusted.run_with(&["--verbose"]).expect(4);
    for expected in [
        format!("DEBUG no answer came: {cause}\n"),
        format!("the server's certificate is not accepted (connection: {cause})"),
        "`api.ca_file`".to_owned(),
    ] {
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
    // The installation is asked for its zone first, and that is not waited for either.
    let untrusted = untrusted.without("api.time_zone");
    untrusted.run().expect(4).says(&[
        &format!("the server's certificate is not accepted (connection: {cause})"),
        "`api.ca_file`",
    ]);
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_the_one_of_the_job() {
    let address = serve(true);
    let job = || job(&address).with(&format!("api.ca_file = \"{}\"", data("ca.pem").display()));
    let certified = |text: &str| {
        job()
            .file("client.pem", text)
            .with("api.client_certificate = { file = \"client.pem\" }")
    };
    certified(&std::fs::read_to_string(data("client.pem")).unwrap())
        .run()
        .expect(0);
    job().run().expect(1);
    let run = certified("no certificate").run().expect(2);
    assert!(
        run.stderr
            .contains("`api.client_certificate` holds no certificate with its private key"),
        "{}",
        run.stderr
    );
}

#[test]
fn certificates_that_cannot_be_read_end_the_job_at_once() {
    let job = job("https://localhost:1").file(
        "ca.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let run = job.with("api.ca_file = \"ca.pem\"").run().expect(2);
    assert!(run.stderr.contains("error: "), "{}", run.stderr);
}

#[test]
fn a_file_of_something_else_than_certificates_is_told_as_what_it_is() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "`api.ca_file` is empty"),
        (b"-\0-\0", "`api.ca_file` is text in UTF-16"),
        (
            &[0x30, 0x82, 1, 1, 0x30],
            "`api.ca_file` holds a certificate in DER",
        ),
        (
            &std::fs::read(data("server-key.pem")).unwrap(),
            "`api.ca_file` holds a private key",
        ),
    ];
    for (bytes, expected) in cases {
        let job = job("https://localhost:1").file("ca.pem", bytes);
        let run = job.with("api.ca_file = \"ca.pem\"").run().expect(2);
        assert!(run.stderr.contains(expected), "{}", run.all());
    }
}

#[test]
fn an_authority_that_stands_for_a_server_is_told_in_words() {
    let address = serve_as("self-signed", false);
    let trusted = format!("api.ca_file = \"{}\"", data("self-signed.pem").display());
    let job = job(&address).with(&trusted);
    let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
    let said = job.finish(child).expect(4).all();
    assert!(
        said.contains("the server shows the certificate of an authority (CA:TRUE) as its own"),
        "{said}"
    );
    assert!(!said.contains("CaUsedAsEndEntity"), "{said}");
}

#[test]
fn authorities_are_needed_only_where_there_is_tls() {
    let none = |job: Job| {
        job.env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent")
    };
    none(Job::sandbox()).run().expect(0);
    let mock = crate::mock::Mock::healthy();
    none(Job::against(&mock)).run().expect(0);
    let run = none(job("https://localhost:1")).run().expect(2);
    assert!(
        run.stderr
            .contains("the system has no certificates of authorities to trust"),
        "{}",
        run.all()
    );
}
