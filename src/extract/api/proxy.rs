//! The proxy of the environment: a name in `HTTPS_PROXY` that is none would be passed over in
//! silence, and requests would go out directly. Which proxy is taken is the HTTP client's matter.

use reqwest::Url;

/// A variable of the environment that names no proxy that can be used. Its value is not told, since
/// it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the environment variable {name} names no proxy that can be used; it must be a URL such as \
     http://proxy.example:8080, with special characters of a password percent-encoded"
)]
pub struct UnusableProxy {
    /// The variable's name.
    name: &'static str,
}

/// Checks what the environment names as the proxy on the way to this address.
pub(crate) fn check_environment(
    address: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), UnusableProxy> {
    // As the HTTP client reads them: of each pair the first that is set.
    let of_scheme = match address.scheme() {
        "http" => ["HTTP_PROXY", "http_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy"],
    };
    for pair in [of_scheme, ["ALL_PROXY", "all_proxy"]] {
        let set = pair
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)));
        match set {
            Some((_, value)) if value.is_empty() => {}
            Some((_, value)) if is_usable(&value) => return Ok(()),
            Some((name, _)) => return Err(UnusableProxy { name }),
            None => {}
        }
    }
    Ok(())
}

/// Whether the client takes it for a proxy; it is stricter than others about what is in a URL.
fn is_usable(value: &str) -> bool {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // Without a scheme, a path shows that one was misspelt, as in `http//host`.
    let is_whole = value.contains("://") || matches!(path, "" | "/");
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%[]".contains(c);
    is_whole
        && ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
        && authority.chars().all(is_allowed)
        && authority.matches('@').count() <= 1
        && Url::parse(&format!("http://{authority}")).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(address: &str, variables: &[(&str, &str)]) -> Result<(), &'static str> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        check_environment(&Url::parse(address).unwrap(), variable).map_err(|error| error.name)
    }

    /// A proxy of the job, the environment, and what is said of both.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Result<(), &'a str>);

    #[test]
    fn the_variable_that_counts_is_checked() {
        const GOOD: &str = "http://proxy.example:8080";
        const BAD: &str = "http://proxy.example:port";
        let https = "https://crm.example.com";
        let cases: [Case<'_>; 10] = [
            (https, &[], Ok(())),
            (https, &[("HTTPS_PROXY", GOOD)], Ok(())),
            (https, &[("HTTPS_PROXY", "")], Ok(())),
            (https, &[("HTTPS_PROXY", BAD)], Err("HTTPS_PROXY")),
            (https, &[("https_proxy", BAD)], Err("https_proxy")),
            (
                https,
                &[("HTTPS_PROXY", GOOD), ("https_proxy", BAD)],
                Ok(()),
            ),
            (https, &[("HTTP_PROXY", BAD)], Ok(())),
            ("http://crm", &[("HTTP_PROXY", BAD)], Err("HTTP_PROXY")),
            (https, &[("ALL_PROXY", BAD)], Err("ALL_PROXY")),
            (https, &[("ALL_PROXY", BAD), ("HTTPS_PROXY", GOOD)], Ok(())),
        ];
        for (address, variables, expected) in cases {
            assert_eq!(checked(address, variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn what_the_client_would_pass_over_is_refused() {
        for value in [
            "http://proxy.example:8080",
            "https://proxy.example",
            "proxy.example:8080",
            "proxy.example",
            "http://user:p%40ss@proxy.example:8080/",
            "http://[::1]:3128",
            "HTTP://127.0.0.1:1",
        ] {
            assert!(is_usable(value), "{value}");
        }
        for value in [
            "http//proxy.example:8080",
            "http:/proxy.example",
            "http://",
            "://proxy",
            "http://proxy.example:99999",
            "http://user:p@ss@proxy.example:8080",
            "http://user:p ss@proxy.example:8080",
            "socks5://proxy.example:1080",
            "nowhere at all",
        ] {
            assert!(!is_usable(value), "{value}");
        }
    }
}
