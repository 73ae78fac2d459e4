//! Who may do what on the private server.
//!
//! Everything is an allow list; what is not listed is refused. Only ingestion publishes events and makes the
//! stream, nobody may purge it or delete from it, and nobody listens to the answers of another.

use crate::names::inbox_prefix;

/// A user of the private server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Writes the stream and the checkpoints, answers commands and `log.read`.
    Ingestion,
    /// Follows the stream, answers queries.
    Projection,
    /// Follows the stream, sends commands.
    Alerting,
    /// Asks the services, shows the stream.
    Console,
    /// Reads the stream with any client, and asks the services nothing but how they are (`$SRV`).
    Reader,
    /// May do everything: for tests, and for an operator who has decided to remove a stream.
    Admin,
}

impl Role {
    /// Every role that a running system needs.
    pub const SERVICES: [Role; 5] =
        [Role::Ingestion, Role::Projection, Role::Alerting, Role::Console, Role::Reader];

    /// The user's name.
    pub fn user(self) -> &'static str {
        match self {
            Role::Ingestion => "ingestion",
            Role::Projection => "projection",
            Role::Alerting => "alerting",
            Role::Console => "console",
            Role::Reader => "reader",
            Role::Admin => "admin",
        }
    }
}

/// The services that others may ask.
const ASKED: [Role; 3] = [Role::Ingestion, Role::Projection, Role::Alerting];
/// Those who ask.
const ASKING: [Role; 5] = [Role::Ingestion, Role::Projection, Role::Alerting, Role::Console, Role::Admin];
/// Those whose durable consumers, named as they are, nobody else may touch.
const FOLLOWERS: [Role; 2] = [Role::Projection, Role::Alerting];

/// The inboxes of clients that chose no prefix of their own; no service listens there.
const ANY_INBOX: &str = "_INBOX.>";

/// Subjects that a user may use in one direction.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subjects {
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
}

/// What a user may publish and subscribe to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Permissions {
    pub(super) publish: Subjects,
    pub(super) subscribe: Subjects,
}

pub(super) fn of(role: Role) -> Permissions {
    let mut permissions = Permissions::default();
    let Permissions { publish, subscribe } = &mut permissions;
    if role == Role::Admin {
        publish.allow.push(">".to_owned());
        subscribe.allow.push(">".to_owned());
        return permissions;
    }

    subscribe.allow.push(format!("{}.>", inbox_prefix(role.user())));
    subscribe.allow.extend(["planwatch.*.event.>".to_owned(), "planwatch.*.checkpoint".to_owned()]);
    publish.allow.extend(["$JS.API.INFO".to_owned(), "$JS.API.STREAM.INFO.*".to_owned()]);

    match role {
        Role::Ingestion => {
            publish.allow.extend(
                [
                    "planwatch.*.event.>",
                    "planwatch.*.checkpoint",
                    "$JS.API.STREAM.CREATE.*",
                    "$JS.API.STREAM.MSG.GET.*",
                    "$JS.API.DIRECT.GET.>",
                ]
                .map(str::to_owned),
            );
        }
        Role::Projection | Role::Alerting => {
            let name = role.user();
            publish.allow.extend([
                format!("$JS.API.CONSUMER.CREATE.*.{name}"),
                format!("$JS.API.CONSUMER.DELETE.*.{name}"),
                format!("$JS.API.CONSUMER.INFO.*.{name}"),
                format!("$JS.API.CONSUMER.MSG.NEXT.*.{name}"),
                format!("$JS.ACK.*.{name}.>"),
                // The longer form of the same, with a domain and an account before the stream.
                format!("$JS.ACK.*.*.*.{name}.>"),
            ]);
        }
        Role::Console => {
            // A consumer created without a name in the subject can only be an ephemeral one.
            publish.allow.extend(
                ["$JS.API.CONSUMER.CREATE.*", "$JS.API.CONSUMER.INFO.*.*", "$JS.API.CONSUMER.MSG.NEXT.*.*"]
                    .map(str::to_owned),
            );
            deny_consumers_of_followers(publish);
        }
        Role::Reader => {
            // Outsiders come with clients of all kinds, whose inboxes and consumers have names of their own.
            subscribe.allow.push(ANY_INBOX.to_owned());
            publish.allow.extend(
                [
                    "$SRV.>",
                    "$JS.API.STREAM.NAMES",
                    "$JS.API.STREAM.LIST",
                    "$JS.API.STREAM.MSG.GET.*",
                    "$JS.API.DIRECT.GET.>",
                    "$JS.API.CONSUMER.CREATE.>",
                    "$JS.API.CONSUMER.DURABLE.CREATE.>",
                    "$JS.API.CONSUMER.INFO.*.*",
                    "$JS.API.CONSUMER.LIST.*",
                    "$JS.API.CONSUMER.NAMES.*",
                    "$JS.API.CONSUMER.MSG.NEXT.*.*",
                    "$JS.ACK.>",
                ]
                .map(str::to_owned),
            );
            deny_consumers_of_followers(publish);
        }
        Role::Admin => unreachable!("an admin was answered above"),
    }

    if ASKED.contains(&role) {
        subscribe.allow.extend([format!("planwatch.*.{}.>", role.user()), "$SRV.>".to_owned()]);
        // Answers are listed rather than granted per request: a grant has an expiry and costs a table entry
        // for each message that a follower receives.
        publish.allow.extend(
            ASKING
                .into_iter()
                .filter(|asking| *asking != role)
                .map(|asking| format!("{}.>", inbox_prefix(asking.user()))),
        );
        // For outsiders who ask `$SRV` how the service is.
        publish.allow.extend([ANY_INBOX.to_owned(), format!("{}.>", inbox_prefix(Role::Reader.user()))]);
    }
    if ASKING.contains(&role) {
        publish.allow.extend(ASKED.map(|asked| format!("planwatch.*.{}.>", asked.user())));
        publish.allow.push("$SRV.>".to_owned());
    }
    // Not in any list above; said once more so that a later wildcard cannot grant it by accident.
    publish.deny.extend(
        [
            "$JS.API.STREAM.DELETE.>",
            "$JS.API.STREAM.PURGE.>",
            "$JS.API.STREAM.MSG.DELETE.>",
            "$JS.API.STREAM.UPDATE.>",
        ]
        .map(str::to_owned),
    );
    permissions
}

/// Nobody else creates, reads or acknowledges for a follower.
fn deny_consumers_of_followers(publish: &mut Subjects) {
    for follower in FOLLOWERS {
        let name = follower.user();
        publish.deny.extend([
            format!("$JS.API.CONSUMER.CREATE.*.{name}"),
            format!("$JS.API.CONSUMER.CREATE.*.{name}.>"),
            format!("$JS.API.CONSUMER.DURABLE.CREATE.*.{name}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.*.{name}"),
            format!("$JS.ACK.*.{name}.>"),
            format!("$JS.ACK.*.*.*.{name}.>"),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ingestion_publishes_events_and_nobody_deletes() {
        for role in Role::SERVICES {
            let permissions = of(role);
            let events = permissions.publish.allow.iter().any(|subject| subject.contains("event"));
            assert_eq!(events, role == Role::Ingestion, "{role:?}");
            for forbidden in ["DELETE.>", "PURGE.>", "UPDATE.>"] {
                assert!(
                    permissions.publish.deny.iter().any(|subject| subject.ends_with(forbidden)),
                    "{role:?}"
                );
            }
            assert!(!permissions.publish.allow.iter().any(|subject| subject == ">"), "{role:?}");
            assert!(!permissions.subscribe.allow.iter().any(|subject| subject == ">"), "{role:?}");
        }
    }
}
