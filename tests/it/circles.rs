//! No file imports itself by way of others. Which stage may import which is for `layers` to say;
//! here the names in the code are followed to the files that declare them.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::sources;

/// Folders that hold a circle: none.
const CIRCLES: &[&str] = &[];

/// The path of a module or of something in it, from the root of the crate.
type Path = Vec<String>;

/// What one file says of others.
#[derive(Default)]
struct File {
    /// What each `use` binds: a name, and the path as it is written.
    bound: BTreeMap<String, Path>,
    /// The paths that the file needs for itself, as they are written.
    needed: BTreeSet<Path>,
}

impl File {
    /// Reads `use` declarations, and paths in between. What a `pub use` names is passed on to
    /// others and not needed here.
    fn read(code: &str) -> Self {
        let mut file = Self::default();
        for statement in code.split_inclusive(';') {
            let (before, tree, is_passed_on) = split_use(statement);
            for (name, path) in tree.map(leaves).unwrap_or_default() {
                if !is_passed_on {
                    file.needed.insert(path.clone());
                }
                file.bound.insert(name, path);
            }
            let is_in_path = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
            let words = before.split(|c| !is_in_path(c));
            let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
            file.needed.extend(paths.map(segments));
        }
        file
    }
}

/// The text before a `use` that ends a statement, its tree, and whether it begins with `pub`.
fn split_use(statement: &str) -> (&str, Option<&str>, bool) {
    let line_before = |at| {
        let (before, _) = statement.split_at(at);
        before.rsplit('\n').next().unwrap_or_default().trim()
    };
    let uses = statement.match_indices("use ").map(|(at, _)| at);
    let declared =
        uses.filter(|at| ["", "pub", "pub(crate)", "pub(super)"].contains(&line_before(*at)));
    match declared.last() {
        Some(at) if statement.ends_with(';') => {
            let (before, tree) = statement.split_at(at);
            let tree = tree.trim_start_matches("use ").trim_end_matches(';');
            (before, Some(tree), !line_before(at).is_empty())
        }
        _ => (statement, None, false),
    }
}

fn segments(path: &str) -> Path {
    let segments = path.split("::").map(str::trim);
    segments
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The names that a tree such as `a::{b, c::{self, d as e}}` binds, with the path of each.
fn leaves(tree: &str) -> Vec<(String, Path)> {
    let Some((head, list)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = segments(path);
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = if alias.is_empty() {
            path.last().cloned().unwrap_or_default()
        } else {
            alias.trim().to_owned()
        };
        return vec![(name, path)];
    };
    let list = list.trim_end().trim_end_matches('}');
    let mut depth = 0;
    let parts = list.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| leaves(&format!("{}{}", head.trim(), part.trim())))
        .collect()
}

/// The files of the crate by the path of their module.
struct Crate(BTreeMap<Path, File>);

impl Crate {
    fn read() -> Self {
        let files = sources("src").into_iter().filter_map(|source| {
            let path = source.path.with_extension("");
            let path = path.to_str().unwrap().trim_end_matches("/mod");
            let code = source.code_without_tests();
            let is_of_the_crate = !code.is_empty() && path != "src/main" && path != "src/signals";
            let module = path.split('/').skip(1).filter(|part| *part != "lib");
            is_of_the_crate.then(|| (module.map(str::to_owned).collect(), File::read(&code)))
        });
        Self(files.collect())
    }

    /// The file that declares what a path leads to, when it is written in a module; none for what
    /// belongs to other crates, and for a module as a whole.
    fn declaring(&self, module: &[String], path: &[String], steps: u8) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let steps = steps.checked_sub(1)?;
        let is_module = |path: &Path| self.0.contains_key(path);
        let below = [module, std::slice::from_ref(first)].concat();
        match first.as_str() {
            "crate" => self.declaring(&[], rest, steps),
            "self" => self.declaring(module, rest, steps),
            "super" => self.declaring(module.split_last()?.1, rest, steps),
            _ if is_module(&below) => self.declaring(&below, rest, steps),
            name => match self.0.get(module)?.bound.get(name) {
                Some(bound) => self.declaring(module, &[bound.as_slice(), rest].concat(), steps),
                None => Some(module.to_vec()),
            },
        }
    }

    /// The files that a file imports.
    fn imports(&self, module: &Path) -> BTreeSet<Path> {
        let needed = self.0[module].needed.iter();
        let declaring = needed.filter_map(|path| self.declaring(module, path, 32));
        declaring.filter(|found| found != module).collect()
    }

    /// The circles: of each the folder that holds it, and which of its files imports which.
    fn circles(&self) -> BTreeMap<String, BTreeSet<String>> {
        let imports: BTreeMap<_, _> = self.0.keys().map(|m| (m, self.imports(m))).collect();
        let reached: BTreeMap<_, _> = self.0.keys().map(|m| (m, reached(&imports, m))).collect();
        let mut circles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (module, from_here) in &reached {
            let circle: Vec<_> = from_here
                .iter()
                .filter(|m| reached[m].contains(*module))
                .collect();
            let Some(folder) = circle.iter().map(|path| path.as_slice()).reduce(common) else {
                continue;
            };
            let lines = circles.entry(folder.join("/")).or_default();
            for imported in imports[*module].iter().filter(|m| circle.contains(m)) {
                lines.insert(format!(
                    "{} imports {}",
                    module.join("/"),
                    imported.join("/")
                ));
            }
        }
        circles
    }
}

/// All files that a file imports, by way of others too.
fn reached(imports: &BTreeMap<&Path, BTreeSet<Path>>, from: &Path) -> BTreeSet<Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        open.extend(
            imports[module]
                .iter()
                .filter(|m| reached.insert((*m).clone())),
        );
    }
    reached
}

/// What two paths begin with.
fn common<'a>(one: &'a [String], other: &[String]) -> &'a [String] {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    &one[..same]
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let circles = Crate::read().circles();
    let known: BTreeSet<&str> = CIRCLES.iter().copied().collect();
    let found: BTreeSet<&str> = circles.keys().map(String::as_str).collect();
    assert_eq!(found, known, "{circles:#?}");
}

#[test]
fn names_lead_to_the_files_that_declare_them() {
    let file = |module: &str, code: &str| (segments(module), File::read(code));
    let code = Crate(BTreeMap::from([
        file("", "pub mod a;\npub mod b;\n"),
        // Declares and passes on; of the two, only `two` is needed for itself.
        file(
            "a",
            "mod one;\nmod two;\npub use one::One;\nuse two::Two as Second;\nfn f() {}\n",
        ),
        file(
            "a::one",
            "use super::f;\nuse crate::b::{\n    self,\n    c::{C, D as E},\n};\n",
        ),
        file(
            "a::two",
            "fn g() -> super::One { crate::b::c::d(b::x(), std::y()) }\n",
        ),
        file("b", "pub(crate) use c::C;\nfn h() { c::d() }\n"),
        file("b::c", "use super::*;\nuse std::fmt;\n"),
    ]));
    let imports = |module: &str| {
        let found = code.imports(&segments(module));
        found.iter().map(|path| path.join("/")).collect::<Vec<_>>()
    };
    assert_eq!(imports("a"), ["a/two"]);
    assert_eq!(imports("a::one"), ["a", "b/c"]);
    assert_eq!(imports("a::two"), ["a/one", "b/c"]);
    assert_eq!(imports("b"), ["b/c"]);
    assert_eq!(imports("b::c"), ["b"]);
    let circles = code.circles();
    assert_eq!(circles.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(circles["b"].len(), 2);
}
