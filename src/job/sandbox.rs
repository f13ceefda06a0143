//! `[sandbox]`, checked: how the embedded SuperOffice behaves.

use super::settings::SandboxSection;
use super::{Installation, LoginHost, Problem, wrong};
use crate::sandbox::{MOST_CONTACTS, MOST_NIGHTS, ServerSettings, TenantSettings};

impl SandboxSection {
    pub(super) fn resolve(&self, installation: &Installation) -> Result<ServerSettings, Problem> {
        let contacts = self.contacts();
        if contacts.is_some_and(|contacts| contacts == 0 || contacts > MOST_CONTACTS) {
            let range = format!("must be a number from 1 to {MOST_CONTACTS}");
            return Err(wrong("sandbox.contacts", range));
        }
        if self.night() > MOST_NIGHTS {
            let range = format!("must be a number from 0 to {MOST_NIGHTS}");
            return Err(wrong("sandbox.night", range));
        }
        Ok(ServerSettings {
            seed: self.seed(),
            contacts,
            night: self.night(),
            latency: self.latency(),
            faults: self.faults().fraction(),
            hangs: self.hangs(),
            drops: self.drops(),
            tenant: tenant(installation),
            ..ServerSettings::default()
        })
    }
}

/// The tenant of the embedded SuperOffice, where that is the one that is asked.
fn tenant(installation: &Installation) -> Option<TenantSettings> {
    match installation {
        Installation::Tenant {
            tenant,
            login_host: LoginHost::Sandbox,
        } => Some(TenantSettings {
            context_identifier: tenant.clone(),
            ..TenantSettings::default()
        }),
        Installation::Tenant {
            login_host: LoginHost::Url(_),
            ..
        }
        | Installation::Sandbox
        | Installation::BaseUrl(_) => None,
    }
}
