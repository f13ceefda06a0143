//! `[sandbox]`, checked: how the embedded SuperOffice behaves.

use super::settings::SandboxSection;
use super::{Installation, LoginHost};
use crate::sandbox::{ServerSettings, TenantSettings};

impl SandboxSection {
    pub(super) fn resolve(&self, installation: &Installation) -> ServerSettings {
        ServerSettings {
            seed: self.seed(),
            latency: self.latency(),
            faults: self.faults().fraction(),
            hangs: self.hangs(),
            drops: self.drops(),
            tenant: tenant(installation),
            ..ServerSettings::default()
        }
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
