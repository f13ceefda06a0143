//! The exit codes and what each means, for the shell, the help and the README.

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Published,
    /// Not published.
    NotPublished,
    /// Wrong input of the operator.
    Usage,
    /// Another run is at it.
    Locked,
    /// The API stayed away.
    Unreachable,
    /// The login was refused.
    Login,
    /// The disk said no.
    Storage,
    /// Somebody asked to stop.
    Interrupted,
}

impl Exit {
    /// Every one, in the order of the codes.
    pub const ALL: &[Self] = &[
        Self::Published,
        Self::NotPublished,
        Self::Usage,
        Self::Locked,
        Self::Unreachable,
        Self::Login,
        Self::Storage,
        Self::Interrupted,
    ];

    /// The code that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Published => 0,
            Self::NotPublished => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::Unreachable => 4,
            Self::Login => 5,
            Self::Storage => 6,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for the help and the README.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Published => {
                "published; failures within `max_failed` (each one is in `outcomes`)"
            }
            Self::NotPublished => {
                "not published: too many failures, a guard, every answer a refusal, no such tenant, \
                 or a defect of this program"
            }
            Self::Usage => {
                "bad arguments, job file or input (a list that is not believed, too); \
                 no contact was called"
            }
            Self::Locked => "another run of this job is under way",
            Self::Unreachable => {
                "the API stayed unreachable longer than `patience`, gave no answer in all the \
                 time allowed, or the tenant is suspended; the same command goes on"
            }
            Self::Login => "the API refused the login",
            Self::Storage => {
                "output, state or stdout could not be written (disk full, permissions); \
                 the same command goes on, where the message says so"
            }
            Self::Interrupted => {
                "interrupted (SIGINT, SIGTERM); answers in flight were stored, \
                 the same command goes on"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_distinct() {
        for (index, exit) in Exit::ALL.iter().enumerate() {
            assert!(
                Exit::ALL[..index]
                    .iter()
                    .all(|other| other.code() != exit.code())
            );
        }
    }
}
