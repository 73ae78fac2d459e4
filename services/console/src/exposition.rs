//! Prometheus text from several services as one: each sample gets the label `service`, each family its
//! description once and its samples together, as the format asks.

use std::collections::BTreeMap;

#[derive(Default)]
struct Family {
    description: Vec<String>,
    samples: Vec<String>,
}

/// Puts together what several services count.
pub fn merged(texts: &[(&str, String)]) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for (service, text) in texts {
        // Samples follow the description of their family; a histogram's have suffixes to its name.
        let mut current = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.split_whitespace();
                let (Some("HELP" | "TYPE"), Some(name)) = (words.next(), words.next()) else { continue };
                name.clone_into(&mut current);
                let family = families.entry(current.clone()).or_default();
                let kind = comment.trim_start().get(..4);
                let known = |known: &String| known.get(2..6) == kind;
                if !family.description.iter().any(known) {
                    family.description.push(line.to_owned());
                }
            } else {
                let name: &str = line.split(['{', ' ']).next().unwrap_or(line);
                let family = if !current.is_empty() && name.starts_with(&current) { &current } else { name };
                families.entry(family.to_owned()).or_default().samples.push(labelled(line, service));
            }
        }
    }
    let mut merged = String::new();
    for family in families.into_values() {
        for line in family.description.into_iter().chain(family.samples) {
            merged.push_str(&line);
            merged.push('\n');
        }
    }
    merged
}

fn labelled(sample: &str, service: &str) -> String {
    if sample.contains("service=\"") {
        // A label must not stand twice; whoever names a service itself means that one.
        return sample.to_owned();
    }
    match sample.find(['{', ' ']) {
        Some(at) if sample[at..].starts_with("{}") => {
            format!("{}{{service=\"{service}\"}}{}", &sample[..at], &sample[at + 2..])
        }
        Some(at) if sample[at..].starts_with('{') => {
            format!("{}{{service=\"{service}\",{}", &sample[..at], &sample[at + 1..])
        }
        Some(at) => format!("{}{{service=\"{service}\"}}{}", &sample[..at], &sample[at..]),
        None => sample.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_family_stand_together_with_their_service() {
        let ingestion = "# HELP planwatch_head The head.\n# TYPE planwatch_head gauge\nplanwatch_head 42\n\n\
                         # TYPE planwatch_commit_seconds histogram\n\
                         planwatch_commit_seconds_bucket{le=\"1\"} 3\nplanwatch_commit_seconds_count 3\n";
        let projection = "# HELP planwatch_head Another text.\n# TYPE planwatch_head gauge\nplanwatch_head{copy=\"a b\"} 41\n";
        let merged = merged(&[("ingestion", ingestion.into()), ("projection", projection.into())]);
        assert_eq!(labelled("up{service=\"alerting\"} 1", "console"), "up{service=\"alerting\"} 1");
        assert_eq!(labelled("up{} 1", "console"), "up{service=\"console\"} 1");
        assert_eq!(
            merged,
            "# TYPE planwatch_commit_seconds histogram\n\
             planwatch_commit_seconds_bucket{service=\"ingestion\",le=\"1\"} 3\n\
             planwatch_commit_seconds_count{service=\"ingestion\"} 3\n\
             # HELP planwatch_head The head.\n\
             # TYPE planwatch_head gauge\n\
             planwatch_head{service=\"ingestion\"} 42\n\
             planwatch_head{service=\"projection\",copy=\"a b\"} 41\n"
        );
    }
}
