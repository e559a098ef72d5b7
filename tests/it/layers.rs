//! Imports follow the layers of `src/lib.rs` and never form a cycle.
//!
//! The tests read every Rust path in every source file: in `use` items, in code and in the arguments of macros.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use syn::visit::{self, Visit};

/// The layers, lowest first. A module may import from the layers below its own. Modules of `base` and `domain` may
/// also import from their own layer.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &["clock", "error", "ids", "text", "working_hours"]),
    ("infra", &["infra"]),
    (
        "domain",
        &[
            "comments",
            "drafts",
            "events",
            "inbox",
            "links",
            "markup",
            "media",
            "notification_emails",
            "notifications",
            "object_deletion",
            "people",
            "rate_limits",
            "receipts",
            "sample",
            "search",
            "share_message",
            "signing",
            "updates",
            "uploads",
            "workspace",
        ],
    ),
    ("config", &["config"]),
    ("state", &["state"]),
    ("web, worker", &["web", "worker"]),
    ("app", &["app"]),
    ("commands", &["demo", "doctor"]),
];

/// The path of a module, as a list of names.
type Module = Vec<String>;

struct Imports<'a> {
    modules: &'a BTreeSet<Module>,
    /// The module that contains the code being visited. It can be an inline module.
    here: Module,
    found: BTreeSet<Module>,
}

impl Imports<'_> {
    /// Records the imported module if the path starts with `crate`, `self`, `super` or the name of a child module.
    fn note(&mut self, segments: &[String]) {
        let mut at = match segments.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.here.clone(),
            Some(child)
                if self
                    .modules
                    .contains(&[&self.here[..], &[child.to_owned()]].concat()) =>
            {
                self.here.clone()
            }
            _ => return,
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" | "$" => {}
                "super" => drop(at.pop()),
                name => at.push(name.to_owned()),
            }
        }
        while !self.modules.contains(&at) {
            at.pop();
        }
        self.found.insert(at);
    }

    fn note_use(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_use(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(before, tree);
                }
            }
        }
    }

    fn note_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.note(&std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                proc_macro2::TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                proc_macro2::TokenTree::Group(group) => self.note_tokens(group.stream()),
                _ => colons = 0,
            }
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_use(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.here.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.here.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if segments.len() > 1 {
            self.note(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// Maps each module of `src` to the modules that it imports. The key `main` stands for
/// `src/main.rs`.
static GRAPH: LazyLock<BTreeMap<Module, BTreeSet<Module>>> = LazyLock::new(read);

fn read() -> BTreeMap<Module, BTreeSet<Module>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&src).unwrap().with_extension("");
            let mut module: Module = relative
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            if module == ["lib"] {
                module.clear();
            }
            files.insert(module, fs::read_to_string(path).unwrap());
        }
    }
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let imports = |(module, text): (&Module, &String)| {
        let mut imports = Imports {
            modules: &modules,
            here: module.clone(),
            found: BTreeSet::new(),
        };
        imports.visit_file(&syn::parse_file(text).unwrap());
        imports.found.remove(module);
        imports.found.remove(&Module::new());
        (module.clone(), imports.found)
    };
    files
        .iter()
        .filter(|(module, _)| !module.is_empty())
        .map(imports)
        .collect()
}

fn layer(module: &Module) -> usize {
    let top = &module[0];
    if top == "main" {
        return LAYERS.len();
    }
    LAYERS
        .iter()
        .position(|(_, modules)| modules.contains(&top.as_str()))
        .unwrap_or_else(|| panic!("src/{top}.rs is not assigned to a layer in tests/it/layers.rs"))
}

/// Returns the cycles of the graph: its strongly connected components with more than one node.
fn cycles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reachable = |from: &Module| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(module) = open.pop() {
            for next in graph.get(module).into_iter().flatten() {
                if reached.insert(next.clone()) {
                    open.push(graph.get_key_value(next).unwrap().0);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = graph
        .keys()
        .map(|module| (module, reachable(module)))
        .collect();
    let mut found = BTreeSet::new();
    for (module, others) in &reached {
        let cycle: Vec<Module> = others
            .iter()
            .filter(|other| reached[other].contains(*module))
            .cloned()
            .collect();
        if !cycle.is_empty() {
            found.insert(cycle);
        }
    }
    found.into_iter().collect()
}

#[test]
fn modules_do_not_import_from_higher_layers() {
    let mut wrong = Vec::new();
    for (module, imports) in GRAPH.iter() {
        for import in imports {
            let (from, to) = (layer(module), layer(import));
            let nouns = LAYERS
                .get(from)
                .is_some_and(|(name, _)| ["base", "domain"].contains(name));
            if to > from || (to == from && module[0] != import[0] && !nouns) {
                wrong.push(format!(
                    "{} imports {}",
                    module.join("::"),
                    import.join("::")
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the layers:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_do_not_import_each_other_in_a_cycle() {
    let mut graph = GRAPH.clone();
    for (module, imports) in &mut graph {
        // Ignore imports of a module's own ancestors, because a module may use their private items.
        imports.retain(|import| !module.starts_with(import));
    }
    let cycles = cycles(&graph);
    assert!(cycles.is_empty(), "import cycles of files: {cycles:#?}");
}

#[test]
fn top_level_modules_do_not_import_each_other_in_a_cycle() {
    // Each child module of `infra` and `web` counts as a top-level module, because each of these
    // two makes up nearly a whole layer.
    let noun = |module: &Module| {
        let depth = if ["infra", "web"].contains(&module[0].as_str()) {
            2
        } else {
            1
        };
        module[..depth.min(module.len())].to_vec()
    };
    let mut nouns: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, imports) in GRAPH.iter() {
        let from = noun(module);
        let whole = |to: &Module| !from.starts_with(to) || from == *to;
        let imports: Vec<Module> = imports
            .iter()
            .map(noun)
            .filter(|to| *to != from && whole(to))
            .collect();
        nouns.entry(from.clone()).or_default().extend(imports);
    }
    let cycles = cycles(&nouns);
    assert!(cycles.is_empty(), "import cycles of modules: {cycles:#?}");
}
