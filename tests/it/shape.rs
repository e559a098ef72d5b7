//! The shape of a JSON document: its fields and their types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// JSON fields whose values come from a closed set. A shape contains these values, not only their type.
const CLOSED_SETS: [&str; 9] = [
    "color",
    "expectation",
    "kind",
    "role",
    "state",
    "status",
    "type",
    "visibility",
    "why",
];
/// The `name` of a rendition also comes from a closed set, unlike `name` in other objects.
const RENDITION: (&str, &str) = ("renditions", "name");

/// The types that a value in a JSON document can have. `words` contains types such as `null` and
/// `string`, and the quoted values of closed sets. `fields` describes the fields of an object, and
/// `items` describes the items of a list.
#[derive(Default)]
pub struct Shape {
    words: BTreeSet<String>,
    fields: Option<BTreeMap<String, Shape>>,
    items: Option<Box<Shape>>,
}

impl Shape {
    fn word(word: impl Into<String>) -> Self {
        Self {
            words: BTreeSet::from([word.into()]),
            ..Self::default()
        }
    }

    /// Returns the shape of a document.
    pub fn of(document: &Value) -> Self {
        Self::of_field("", "", document)
    }

    /// Returns the shape of the value of the field `name`. `parent` is the name of the field that contains the
    /// surrounding object. All items of a list have one common shape.
    fn of_field(parent: &str, name: &str, value: &Value) -> Self {
        match value {
            Value::Null => Self::word("null"),
            Value::Bool(_) => Self::word("boolean"),
            Value::Number(_) => Self::word("number"),
            Value::String(text) if CLOSED_SETS.contains(&name) || (parent, name) == RENDITION => {
                Self::word(format!("'{text}'"))
            }
            Value::String(_) => Self::word("string"),
            Value::Array(items) => {
                let item = items
                    .iter()
                    .map(|item| Self::of_field(parent, name, item))
                    .reduce(Self::merge);
                Self {
                    items: Some(Box::new(item.unwrap_or_default())),
                    ..Self::default()
                }
            }
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(field, value)| (field.clone(), Self::of_field(name, field, value)))
                    .collect();
                Self {
                    fields: Some(fields),
                    ..Self::default()
                }
            }
        }
    }

    /// Combines two shapes into one that describes all their values.
    fn merge(mut self, other: Self) -> Self {
        self.words.extend(other.words);
        self.fields = merge_options(self.fields, other.fields, merge_fields);
        self.items = merge_options(self.items, other.items, |one, other| {
            Box::new(one.merge(*other))
        });
        self
    }

    /// Returns the shape as JSON.
    pub fn json(self) -> Value {
        let words = self.words.into_iter().collect::<Vec<_>>().join("|");
        let fields = self.fields.map(|fields| {
            fields
                .into_iter()
                .map(|(name, field)| (name, field.json()))
                .collect::<Map<_, _>>()
        });
        let items = self.items.map(|item| match item.json() {
            Value::Null => json!([]),
            item => json!([item]),
        });
        let all = [
            (!words.is_empty()).then(|| json!(words)),
            fields.map(Value::Object),
            items,
        ];
        let mut all: Vec<Value> = all.into_iter().flatten().collect();
        match all.len() {
            0 => Value::Null,
            1 => all.remove(0),
            _ => json!({ "one of": all }),
        }
    }
}

fn merge_fields(
    one: BTreeMap<String, Shape>,
    mut other: BTreeMap<String, Shape>,
) -> BTreeMap<String, Shape> {
    let missing = || Shape::word("missing");
    let mut merged = BTreeMap::new();
    for (name, field) in one {
        let same = other.remove(&name).unwrap_or_else(missing);
        merged.insert(name, field.merge(same));
    }
    merged.extend(
        other
            .into_iter()
            .map(|(name, field)| (name, missing().merge(field))),
    );
    merged
}

fn merge_options<T>(one: Option<T>, other: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(merge(one, other)),
        (one, other) => one.or(other),
    }
}

/// Lists the paths at which two documents differ, with both values.
pub fn differences(path: &str, recorded: &Value, answered: &Value) -> Vec<String> {
    match (recorded, answered) {
        (one, other) if one == other => Vec::new(),
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let of = |fields: &Map<String, Value>, name: &str| {
                fields.get(name).cloned().unwrap_or(json!("not there"))
            };
            let below = |name: &String| {
                differences(&format!("{path}{name}."), &of(one, name), &of(other, name))
            };
            names.into_iter().flat_map(below).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .flat_map(|(one, other)| differences(&format!("{path}[]."), one, other))
            .collect(),
        _ => vec![format!(
            "{}: recorded {recorded}, answered {answered}",
            path.trim_end_matches('.')
        )],
    }
}
