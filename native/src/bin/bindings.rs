//! Prints every export of the library and every layout as JSON: the source of `ffi/bindings.ts` and `ffi/layouts.ts`.

use deno_bindgen::{Inventory, Symbol, Type, INVENTORY};

// The exports register themselves when the library is linked; a reference to one of them makes sure that it is.
use millrace::boundary::millrace_abi_version;
use millrace::layouts::{Field, Layout, HASH, LAYOUTS};

fn main() {
    assert!(millrace_abi_version() > 0);
    let mut symbols: Vec<&Symbol> = INVENTORY
        .iter()
        .filter_map(|entry| match entry {
            Inventory::Symbol(symbol) => Some(symbol),
            _ => None,
        })
        .collect();
    symbols.sort_by_key(|symbol| symbol.name);
    let functions: Vec<String> = symbols.iter().map(|symbol| describe(symbol)).collect();
    let layouts: Vec<String> = LAYOUTS.iter().map(describe_layout).collect();
    println!(
        "{{\"functions\":[\n{}\n],\"layoutHash\":{HASH},\"layouts\":[\n{}\n]}}",
        functions.join(",\n"),
        layouts.join(",\n")
    );
}

fn describe(symbol: &Symbol) -> String {
    let parameters: Vec<String> = symbol
        .parameters
        .iter()
        .map(|kind| format!("\"{}\"", name(*kind)))
        .collect();
    format!(
        "  {{\"name\":\"{}\",\"parameters\":[{}],\"result\":\"{}\",\"nonBlocking\":{}}}",
        symbol.name,
        parameters.join(","),
        name(symbol.return_type),
        symbol.non_blocking
    )
}

fn describe_layout(layout: &Layout) -> String {
    let fields: Vec<String> = layout.fields.iter().map(describe_field).collect();
    format!(
        "  {{\"name\":\"{}\",\"comment\":{:?},\"fields\":[{}]}}",
        layout.name,
        layout.comment,
        fields.join(",")
    )
}

fn describe_field(field: &Field) -> String {
    format!(
        "{{\"name\":\"{}\",\"comment\":{:?},\"value\":{}}}",
        field.name, field.comment, field.value
    )
}

fn name(kind: Type) -> &'static str {
    match kind {
        Type::Void => "void",
        Type::Uint8 => "u8",
        Type::Uint16 => "u16",
        Type::Uint32 => "u32",
        Type::Uint64 => "u64",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Pointer | Type::Buffer => "pointer",
        Type::CustomType(name) => name,
    }
}
