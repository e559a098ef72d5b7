//! `docs/openapi.json` describes all API routes of the route table and no others.

use std::collections::BTreeSet;

use serde_json::Value;

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];
/// Routes for browsers and crawlers. API clients do not use them.
const UNDOCUMENTED: [&str; 3] = ["/assets/{name}", "/favicon.ico", "/robots.txt"];

#[test]
fn openapi_document_has_the_same_routes_as_the_route_table() {
    let (routes, documented) = (
        routes(include_str!("../../src/web.rs")),
        documented(include_str!("../../docs/openapi.json")),
    );
    let missing: Vec<_> = routes.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&routes).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "docs/openapi.json lacks {missing:#?} and has nonexistent routes {invented:#?}"
    );
}

/// Returns the routes in the source code of the route table, for example `get /updates/{id}`. Reads
/// routes of the form `resource("/updates/{id}").route(get().to(…))`. Panics if it cannot read a
/// route.
fn routes(source: &str) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for resource in source.split("resource(\"").skip(1) {
        let (path, rest) = resource.split_once('"').unwrap();
        for route in rest.split(".route(").skip(1) {
            let route = route
                .trim_start()
                .trim_start_matches("actix_web::web::")
                .replacen("method(Method::OPTIONS)", "options()", 1);
            let method = route.split('(').next().unwrap();
            assert!(
                METHODS.contains(&method),
                "{path} has a route that this test cannot read: {method}"
            );
            routes.insert(format!("{method} {path}"));
        }
    }
    routes.retain(|route| {
        !UNDOCUMENTED
            .iter()
            .any(|path| route.ends_with(&format!(" {path}")))
    });
    routes
}

/// Returns the routes in the OpenAPI document, for example `get /updates/{id}`.
fn documented(description: &str) -> BTreeSet<String> {
    let description: Value = serde_json::from_str(description).unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let methods = |item: &Value| {
        METHODS
            .into_iter()
            .filter(|method| !item[*method].is_null())
            .collect::<Vec<_>>()
    };
    paths
        .flat_map(|(path, item)| {
            methods(item)
                .into_iter()
                .map(move |method| format!("{method} {path}"))
        })
        .collect()
}
