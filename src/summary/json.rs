//! The summary for programs: the manifest itself, as it stands in the run's folder.

use super::Summary;

impl Summary {
    /// The summary as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        self.manifest.to_json()
    }
}
