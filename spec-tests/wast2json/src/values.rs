//! Arguments and expected results as JSON. Integers and floats are written as the decimal of their
//! unsigned bits, so that nothing is lost on the way.

use crate::json::Json;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{Index, F32, F64};

fn value(kind: &'static str, text: String) -> Json {
    Json::Object(vec![("type", kind.into()), ("value", text.into())])
}

fn lanes(shape: &'static str, lanes: Vec<String>) -> Json {
    let lanes = lanes.into_iter().map(Json::Text).collect();
    Json::Object(vec![
        ("type", "v128".into()),
        ("shape", shape.into()),
        ("value", Json::List(lanes)),
    ])
}

fn heap_type(ty: &HeapType) -> String {
    let HeapType::Abstract { ty, .. } = ty else {
        return "concrete".to_string();
    };
    let name = match ty {
        AbstractHeapType::Func => "func",
        AbstractHeapType::Extern => "extern",
        AbstractHeapType::Exn => "exn",
        AbstractHeapType::Cont => "cont",
        AbstractHeapType::Any => "any",
        AbstractHeapType::Eq => "eq",
        AbstractHeapType::Struct => "struct",
        AbstractHeapType::Array => "array",
        AbstractHeapType::I31 => "i31",
        AbstractHeapType::NoFunc => "nofunc",
        AbstractHeapType::NoExtern => "noextern",
        AbstractHeapType::None => "none",
        AbstractHeapType::NoExn => "noexn",
        AbstractHeapType::NoCont => "nocont",
    };
    name.to_string()
}

pub fn argument(arg: &WastArgCore) -> Json {
    match arg {
        WastArgCore::I32(v) => value("i32", (*v as u32).to_string()),
        WastArgCore::I64(v) => value("i64", (*v as u64).to_string()),
        WastArgCore::F32(v) => value("f32", v.bits.to_string()),
        WastArgCore::F64(v) => value("f64", v.bits.to_string()),
        WastArgCore::V128(v) => {
            let bytes = v.to_le_bytes().iter().map(u8::to_string).collect();
            lanes("i8x16", bytes)
        }
        WastArgCore::RefNull(ty) => value("ref.null", heap_type(ty)),
        WastArgCore::RefExtern(v) => value("ref.extern", v.to_string()),
        WastArgCore::RefHost(v) => value("ref.host", v.to_string()),
    }
}

fn f32_pattern(pattern: &NanPattern<F32>) -> String {
    match pattern {
        NanPattern::CanonicalNan => "nan:canonical".to_string(),
        NanPattern::ArithmeticNan => "nan:arithmetic".to_string(),
        NanPattern::Value(v) => v.bits.to_string(),
    }
}

fn f64_pattern(pattern: &NanPattern<F64>) -> String {
    match pattern {
        NanPattern::CanonicalNan => "nan:canonical".to_string(),
        NanPattern::ArithmeticNan => "nan:arithmetic".to_string(),
        NanPattern::Value(v) => v.bits.to_string(),
    }
}

fn v128_pattern(pattern: &V128Pattern) -> Json {
    match pattern {
        V128Pattern::I8x16(v) => lanes("i8x16", v.iter().map(|x| (*x as u8).to_string()).collect()),
        V128Pattern::I16x8(v) => {
            lanes("i16x8", v.iter().map(|x| (*x as u16).to_string()).collect())
        }
        V128Pattern::I32x4(v) => {
            lanes("i32x4", v.iter().map(|x| (*x as u32).to_string()).collect())
        }
        V128Pattern::I64x2(v) => {
            lanes("i64x2", v.iter().map(|x| (*x as u64).to_string()).collect())
        }
        V128Pattern::F32x4(v) => lanes("f32x4", v.iter().map(f32_pattern).collect()),
        V128Pattern::F64x2(v) => lanes("f64x2", v.iter().map(f64_pattern).collect()),
    }
}

/// A reference that is expected by kind alone.
fn kind_only(kind: &'static str) -> Json {
    Json::Object(vec![("type", kind.into())])
}

pub fn result(pattern: &WastRetCore) -> Json {
    match pattern {
        WastRetCore::I32(v) => value("i32", (*v as u32).to_string()),
        WastRetCore::I64(v) => value("i64", (*v as u64).to_string()),
        WastRetCore::F32(v) => value("f32", f32_pattern(v)),
        WastRetCore::F64(v) => value("f64", f64_pattern(v)),
        WastRetCore::V128(v) => v128_pattern(v),
        WastRetCore::RefNull(None) => kind_only("ref.null"),
        WastRetCore::RefNull(Some(ty)) => value("ref.null", heap_type(ty)),
        WastRetCore::RefExtern(None) => kind_only("ref.extern"),
        WastRetCore::RefExtern(Some(v)) => value("ref.extern", v.to_string()),
        WastRetCore::RefHost(v) => value("ref.host", v.to_string()),
        WastRetCore::RefFunc(Some(Index::Num(n, _))) => value("ref.func", n.to_string()),
        WastRetCore::RefFunc(_) => kind_only("ref.func"),
        WastRetCore::RefAny => kind_only("ref.any"),
        WastRetCore::RefEq => kind_only("ref.eq"),
        WastRetCore::RefArray => kind_only("ref.array"),
        WastRetCore::RefStruct => kind_only("ref.struct"),
        WastRetCore::RefI31 | WastRetCore::RefI31Shared => kind_only("ref.i31"),
        WastRetCore::Either(cases) => Json::Object(vec![
            ("type", "either".into()),
            ("value", Json::List(cases.iter().map(result).collect())),
        ]),
    }
}
