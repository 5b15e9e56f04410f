//! Who may import whom, as ARCHITECTURE.md draws it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs");
    let normal = |package: &cargo_metadata::Package| -> BTreeSet<String> {
        let dependencies = package.dependencies.iter();
        dependencies.filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn tiers_import_only_what_the_picture_shows() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("segue-manifests", &[][..]),
        ("segue-storage", &[]),
        ("segue-certificate", &[]),
        ("segue-transcoder", &["segue-manifests", "segue-storage"]),
        ("segue-origin", &["segue-certificate", "segue-manifests", "segue-storage"]),
        ("segue-edge", &["segue-certificate", "segue-manifests"]),
        ("segue", &["segue-manifests", "segue-storage", "segue-transcoder", "segue-origin", "segue-edge"]),
    ]);
    let imports = imports();
    for (name, wanted) in &allowed {
        let own = imports.get(*name).unwrap_or_else(|| panic!("no crate {name}"));
        let own: BTreeSet<&str> =
            own.iter().map(String::as_str).filter(|n| allowed.contains_key(n)).collect();
        let extra: Vec<_> = own.iter().filter(|import| !wanted.contains(import)).collect();
        assert!(extra.is_empty(), "{name} imports {extra:?}");
    }
}

#[test]
fn tiers_stay_out_of_one_anothers_trade() {
    let never = [
        ("segue-manifests", &["tokio", "hyper", "sqlx", "aws-sdk-s3", "symphonia"][..]),
        ("segue-storage", &["symphonia", "sqlx"]),
        ("segue-transcoder", &["sqlx", "axum"]),
        ("segue-origin", &["symphonia", "fdk-aac-sys", "aws-sdk-s3"]),
        ("segue-edge", &["sqlx", "symphonia", "aws-sdk-s3", "axum"]),
    ];
    let imports = imports();
    for (name, forbidden) in never {
        for import in forbidden {
            assert!(!imports[name].contains(*import), "{name} imports {import}");
        }
    }
}
