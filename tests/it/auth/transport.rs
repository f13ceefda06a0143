//! The way to the server: proxies and certificates.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use super::*;

/// A proxy that notes what the first connection asks for, and refuses it.
fn proxy() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let first = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        line
    });
    (address, first)
}

#[test]
fn a_proxy_is_taken_from_the_environment_or_the_job() {
    for from_environment in [true, false] {
        let (address, first) = proxy();
        let job = Job::new("https://crm.example.com/SuperOffice")
            .with("fetch.patience = \"0s\"")
            .ids([1]);
        let job = if from_environment {
            job.env("HTTPS_PROXY", &address)
        } else {
            job.with(&format!("api.proxy = \"{address}\""))
        };
        let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
        job.finish(child).expect(4);
        assert_eq!(
            first.join().unwrap(),
            "CONNECT crm.example.com:443 HTTP/1.1\r\n"
        );
    }
}

#[test]
fn a_server_on_this_machine_is_asked_directly() {
    let sandbox = sandbox(|_| {});
    let job = system_user(&sandbox)
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    job.run().expect(0);
}

#[test]
fn a_proxy_of_the_environment_that_is_none_is_refused_by_its_name() {
    let job = Job::new("https://crm.example.com/SuperOffice");
    let job = job.env("HTTPS_PROXY", "http//kari:s3cret@proxy.example:8080");
    for verb in ["run", "check"] {
        let child = job.command().args([verb, "job.toml"]).spawn().unwrap();
        let said = job.finish(child).expect(2).all();
        assert!(
            said.contains("the environment variable HTTPS_PROXY names no proxy that can be used"),
            "{said}"
        );
        assert!(!said.contains("s3cret"), "{said}");
    }
}
