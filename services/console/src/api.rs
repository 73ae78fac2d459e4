//! The HTTP interface under `/api/v1`: one table of routes, which the router and the tests of the
//! OpenAPI document both read.

pub mod commands;
pub mod evidence;
pub mod operations;
pub mod queries;
pub mod reviews;

use crate::edge::Edge;
use crate::{health, stream};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use events::command::Operation;
use serde_json::value::RawValue;

/// Where the interface lives.
pub const API_PREFIX: &str = "/api/v1";
/// Where the OpenAPI document is served.
pub const OPENAPI_PATH: &str = "/api/openapi.json";

/// The OpenAPI document. It is kept by hand: most answers are made by other services and pass through as
/// JSON, so no type in this crate could say what is in them.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Where the AsyncAPI document is served.
pub const ASYNCAPI_PATH: &str = "/api/asyncapi.json";

/// The AsyncAPI document: the events as they are on the bus.
pub const ASYNCAPI: &str = include_str!("../../../deploy/nats/asyncapi.json");

/// One operation of the interface.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` where a part varies.
    pub path: &'static str,
    /// What answers it.
    pub handler: MethodRouter<Edge>,
}

fn reads(path: &'static str, handler: MethodRouter<Edge>) -> Route {
    Route { method: Method::GET, path, handler }
}

fn acts(path: &'static str, handler: MethodRouter<Edge>) -> Route {
    Route { method: Method::POST, path, handler }
}

/// Every operation below [`API_PREFIX`], for those who have a token or a session.
pub fn routes() -> Vec<Route> {
    vec![
        acts("/reports", commands::recording(Operation::SubmitReport)),
        acts("/reports/batch", post(commands::submit_reports)),
        acts("/targets", commands::recording(Operation::ChangeTarget)),
        acts("/units", commands::recording(Operation::ChangeUnit)),
        acts("/baselines", commands::recording(Operation::EnterBaseline)),
        acts("/plan/amendments", post(commands::amend_plan)),
        acts("/deadlines", commands::recording(Operation::ExtendDeadline)),
        acts("/alerts/{id}/ack", post(commands::acknowledge_alert)),
        reads("/status", get(queries::status)),
        reads("/series", get(queries::series)),
        reads("/plan", get(queries::plan)),
        reads("/explain", get(queries::explain)),
        reads("/diff", get(queries::diff)),
        reads("/findings", get(queries::findings)),
        reads("/units", get(queries::units)),
        reads("/targets", get(queries::targets)),
        reads("/baselines", get(queries::baselines)),
        reads("/alerts", get(queries::alerts)),
        reads("/reviews/{year}", get(reviews::review)),
        reads("/events", get(queries::events)),
        reads("/events/{id}", get(queries::event)),
        reads("/stream", get(stream::follow)),
    ]
}

/// Every operation that is open to all: whether the console lives, whether it is ready, what it counts; and the
/// log's evidence, which holds nobody's figures. Whoever knows only the interface's prefix finds them there, too.
pub fn open_routes() -> Vec<Route> {
    vec![
        reads("/healthz", get(health::alive)),
        reads("/readyz", get(health::ready)),
        reads("/metrics", get(health::metrics)),
        reads("/api/v1/healthz", get(health::alive)),
        reads("/api/v1/readyz", get(health::ready)),
        reads("/api/v1/metrics", get(health::metrics)),
        reads(OPENAPI_PATH, get(openapi)),
        reads(ASYNCAPI_PATH, get(asyncapi)),
        reads("/api/v1/log/checkpoint", get(evidence::checkpoint)),
        reads("/api/v1/log/proof/{position}", get(evidence::proof)),
        reads("/api/v1/log/consistency", get(evidence::consistency)),
        reads("/api/v1/log/tile/{*path}", get(evidence::tile)),
        reads("/api/v1/log/vkeys", get(evidence::vkeys)),
    ]
}

async fn asyncapi() -> Response {
    json(ASYNCAPI)
}

async fn openapi() -> Response {
    json(OPENAPI)
}

/// A response that holds JSON as it is.
pub fn json(body: impl Into<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], axum::body::Body::from(body.into())).into_response()
}

/// A response that holds the JSON of a service, untouched.
pub fn passed_on(answer: Box<RawValue>) -> Response {
    json(String::from(Box::<str>::from(answer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_openapi_document_and_the_other_way_round() {
        let below =
            |route: Route| (route.method.as_str().to_lowercase(), format!("{API_PREFIX}{}", route.path));
        // A part that may hold slashes is marked for the router only.
        let at_top = |route: Route| (route.method.as_str().to_lowercase(), route.path.replace("{*", "{"));
        let routed: BTreeSet<_> =
            routes().into_iter().map(below).chain(open_routes().into_iter().map(at_top)).collect();

        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                assert!(operation["operationId"].is_string(), "{method} {path}");
                assert!(operation["responses"].is_object(), "{method} {path}");
                described.insert((method.clone(), path.clone()));
            }
        }
        assert_eq!(described, routed);
    }

    #[test]
    fn every_list_of_figures_says_in_the_openapi_document_whether_they_are_made_up() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        for path in [
            "status",
            "series",
            "explain",
            "diff",
            "findings",
            "units",
            "targets",
            "baselines",
            "alerts",
            "events",
        ] {
            let pointer =
                format!("/paths/~1api~1v1~1{path}/get/responses/200/content/application~1json/schema");
            let schema = document.pointer(&pointer).unwrap();
            let schema = match schema["$ref"].as_str() {
                Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
                None => schema,
            };
            assert_eq!(schema["properties"]["sample"]["$ref"], "#/components/schemas/Sample", "{path}");
            assert!(schema["required"].as_array().unwrap().contains(&"sample".into()), "{path}");
        }
    }

    #[test]
    fn every_reference_in_the_openapi_document_leads_somewhere() {
        fn walk(value: &Value, document: &Value, found: &mut usize) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                        *found += 1;
                    }
                    fields.values().for_each(|value| walk(value, document, found));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, document, found)),
                _ => {}
            }
        }
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut found = 0;
        walk(&document, &document, &mut found);
        assert!(found > 20, "only {found} references were found");
    }
}
