//! Policies that cannot stand: each is refused with its line and what to do, before anything is
//! written.

use crate::mock::Mock;
use crate::support::Job;

const KEY: &str = "{ file = \"hash-key\" }";

#[test]
fn what_cannot_stand_in_a_policy_is_refused_with_its_line() {
    let cases = [
        (
            "drop = [\"chats.name\",\n\"chats.frist_message\"]",
            "job.toml:9: `privacy.drop`: there is no column `chats.frist_message`; did you mean \
             `chats.first_message`?",
        ),
        (
            "redact = [\"sevenofnine\"]",
            "job.toml:8: `privacy.redact`: there is no column `sevenofnine`; write table.column",
        ),
        (
            "drop = [\"Zx81-s3cret!\"]",
            "job.toml:8: `privacy.drop`: there is no column; write table.column",
        ),
        (
            "drop = [\"chats.name\"]\nredact = [\"*.name\"]",
            "job.toml:9: `privacy.redact`: the column `*.name` is named twice, the first time in \
             `privacy.drop`",
        ),
        (
            "hash = [\"contacts.name\"]",
            "job.toml:8: `privacy.hash`: needs `privacy.key`, since without one short values would \
             be guessed; make one with: openssl rand -hex 32",
        ),
        (
            "hash = [\"sales.amount\"]\nkey = { file = \"hash-key\" }",
            "job.toml:8: `privacy.hash`: the column `sales.amount` holds no text, and only text can \
             be hashed; drop or redact it",
        ),
        (
            "drop = [\"*.contact_id\"]",
            "job.toml:8: `privacy.drop`: the column `*.contact_id` finds, joins and sorts rows",
        ),
        (
            "drop = [\"outcomes.error\"]",
            "job.toml:8: `privacy.drop`: the column `outcomes.error` is what a run is counted by",
        ),
        (
            "drop = [\"sales.extra\"]",
            "job.toml:8: `privacy.drop`: the column `sales.extra` is governed by a key of its own; \
             write extra = \"drop\" or \"keep\"",
        ),
        (
            "extra = \"some\"",
            "job.toml:8: `privacy.extra`: must be \"drop\" or \"keep\"",
        ),
        (
            "hash = [\"contacts.name\"]\nkey = \"0123456789abcdef\"",
            "secrets are never written into the job",
        ),
        (
            "hash = [\"contacts.name\"]\nkey = { file = \"hash-key\" }",
            "job.toml:9: `privacy.key`: the key has fewer than 16 bytes, and could be found by \
             trying; make one with: openssl rand -hex 32",
        ),
        ("hide = []", "job.toml:8: unknown key `hide`"),
    ];
    for (policy, expected) in cases {
        let mock = Mock::healthy();
        let text = format!(
            "[source]\npath = \"contacts.csv\"\n[output]\ndir = \"exports\"\n[api]\nbase_url = \
             \"{}\"\n[privacy]\n{policy}\n",
            mock.url()
        );
        let job = Job::against(&mock).file("hash-key", "0123456789abcde\n");
        let job = job.text_of_job(&text);
        for arguments in [&[][..], &["--offline"]] {
            let finished = job.run_with(arguments).expect(2).says(&[expected]);
            assert!(!finished.all().contains("s3cret"), "{}", finished.all());
            assert_eq!((mock.calls(), job.written()), (0, Vec::new()), "{policy}");
        }
    }
}

#[test]
fn the_tables_of_a_job_tell_what_becomes_of_each_column() {
    let job = Job::sandbox()
        .with("privacy.drop = [\"chats.first_message\"]")
        .with("privacy.hash = [\"contacts.email_address\"]")
        .with("privacy.redact = [\"followups.description\"]")
        .with(&format!("privacy.key = {KEY}"));
    for (format, hashed) in [
        (
            "markdown",
            "| `email_address` | VARCHAR | `Contact/EmailAddress` | HASHED: ",
        ),
        (
            "sql",
            "COMMENT ON COLUMN contacts.email_address IS 'HASHED: ",
        ),
        ("json", "\"doc\": \"HASHED: "),
    ] {
        let output = job
            .command()
            .args(["tables", "job.toml", "--format", format])
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(text.contains(hashed), "{format}\n{text}");
        assert!(!text.contains("first_message"), "{format}\n{text}");
        assert!(
            text.contains("REDACTED: always null in this job"),
            "{format}"
        );
    }
}
