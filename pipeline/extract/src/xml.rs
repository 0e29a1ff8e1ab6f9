//! The way into any XML: decoded, bounded, without a document type, and with a name for every place in it.

use case::Extraction;
use roxmltree::{Document, Node, ParsingOptions};

use crate::{Unreadable, cii, fapiao, fatturapa, fit, rules, ubl};

pub(crate) const BYTES_MAX: usize = 64 << 20;
pub(crate) const NODES_MAX: u32 = 2_000_000;
/// Invoices nest about a dozen deep, word processors some forty.
const DEPTH_MAX: usize = 256;
/// A parser compares each attribute of an element with all others of it.
const ATTRIBUTES_MAX: usize = 256;
/// And each element that names a namespace takes a copy of all those around it.
const NAMESPACES_MAX: usize = 128;

/// A value that a machine wrote for a machine.
pub(crate) const CONFIDENCE: f64 = 0.999;

/// Reads an electronic invoice; its syntax is told from the root element.
pub(crate) fn read(bytes: &[u8]) -> Result<Extraction, Unreadable> {
    let text = decode(bytes)?;
    let document = parse(&text, "XML document")?;
    let tree = Tree::new(&document);
    let root = document.root_element();
    match root.tag_name().name() {
        "Invoice" | "CreditNote" if syntax(root).is_some() => Ok(ruled(ubl::read(&tree, root), &tree, root)),
        "CrossIndustryInvoice" if syntax(root).is_some() => Ok(ruled(cii::read(&tree, root), &tree, root)),
        // ZUGFeRD 1 is older than the standard.
        "CrossIndustryDocument" if syntax(root).is_some() => Ok(cii::read(&tree, root)),
        _ if fatturapa::is_root(root) => Ok(fatturapa::read(&tree, root)),
        _ if fapiao::is_root(root) => Ok(fapiao::read(&tree, root)),
        name => {
            let namespace = root.tag_name().namespace().filter(|_| known(name)).unwrap_or_default();
            let name = if namespace.is_empty() { name.to_owned() } else { format!("{{{namespace}}}{name}") };
            Err(Unreadable::UnknownXml { root: name.chars().take(80).collect() })
        }
    }
}

/// A form of invoice: its root elements in their namespaces, and the namespaces of everything below them.
struct Syntax {
    roots: &'static [(&'static str, &'static str)],
    inside: &'static [&'static str],
}

/// UBL 2.1; CII D16B; ZUGFeRD 1.0; FatturaPA 1.0 to 1.2 and the simplified one, whose elements have no namespace of
/// their own but are found in that of the root as well.
const SYNTAXES: [Syntax; 4] = [
    Syntax {
        roots: &[
            ("Invoice", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"),
            ("CreditNote", "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"),
        ],
        inside: &[
            "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
            "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
            "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
        ],
    },
    Syntax {
        roots: &[("CrossIndustryInvoice", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100")],
        inside: &[
            "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
            "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
            "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
            "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        ],
    },
    Syntax {
        roots: &[("CrossIndustryDocument", "urn:ferd:CrossIndustryDocument:invoice:1p0")],
        inside: &[
            "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12",
            "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15",
            "urn:ferd:CrossIndustryDocument:invoice:1p0",
        ],
    },
    Syntax {
        roots: &[
            ("FatturaElettronica", "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"),
            ("FatturaElettronica", "http://www.fatturapa.gov.it/sdi/fatturapa/v1.1"),
            ("FatturaElettronica", "http://www.fatturapa.gov.it/sdi/fatturapa/v1.0"),
            ("FatturaElettronicaSemplificata", "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.0"),
        ],
        inside: &[
            "",
            "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2",
            "http://www.fatturapa.gov.it/sdi/fatturapa/v1.1",
            "http://www.fatturapa.gov.it/sdi/fatturapa/v1.0",
            "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.0",
        ],
    },
];

/// The form that an element is the root of.
fn syntax(root: Node<'_, '_>) -> Option<&'static Syntax> {
    let tag = root.tag_name();
    let root = (tag.name(), tag.namespace().unwrap_or_default());
    SYNTAXES.iter().find(|it| it.roots.contains(&root))
}

fn known(name: &str) -> bool {
    SYNTAXES.iter().flat_map(|it| it.roots).any(|(root, _)| *root == name)
}

/// Is the element the root of a form of invoice?
pub(crate) fn is_root(root: Node<'_, '_>) -> bool {
    syntax(root).is_some()
}

/// Is the element in a namespace that the syntax of its document uses? Of other documents every element is.
pub(crate) fn belongs(node: Node<'_, '_>) -> bool {
    syntax(node.document().root_element())
        .is_none_or(|it| it.inside.contains(&node.tag_name().namespace().unwrap_or_default()))
}

/// Is it the XML of an invoice that [`read`] knows?
pub(crate) fn has_invoice_root(bytes: &[u8]) -> bool {
    let Ok(text) = decode(bytes) else { return false };
    parse(&text, "XML document").is_ok_and(|document| {
        let root = document.root_element();
        is_root(root) || fapiao::is_root(root)
    })
}

/// Adds what the published rules say.
fn ruled(mut answer: Extraction, tree: &Tree, root: Node<'_, '_>) -> Extraction {
    let verdict = rules::check(tree, root);
    fit::breaches(&mut answer, verdict.count);
    answer.profile = Some(verdict.profile);
    answer.breaches = verdict.breaches;
    answer
}

/// Checks an e-invoice that was parsed once by every rule of its sets, that many times; how many breaches one time found.
pub fn rules_again(document: &[u8], n_times: usize) -> Option<usize> {
    let text = decode(document).ok()?;
    let parsed = parse(&text, "XML document").ok()?;
    let tree = Tree::new(&parsed);
    (0..n_times).fold(None, |_, _| Some(rules::check(&tree, parsed.root_element()).count))
}

/// Parses within the limits. `what` names the thing in the error.
pub(crate) fn parse<'a>(text: &'a str, what: &'static str) -> Result<Document<'a>, Unreadable> {
    limits(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|err| match err {
        roxmltree::Error::NodesLimitReached => {
            Unreadable::TooMuch { what: "XML nodes", count: u64::from(NODES_MAX) + 1, max: u64::from(NODES_MAX) }
        }
        roxmltree::Error::DtdDetected => {
            Unreadable::Broken { what, why: "it has a document type, which can make it unfold without end".to_owned() }
        }
        // The parser's own words may quote the document.
        err => {
            Unreadable::Broken { what, why: format!("an error at line {}, column {}", err.pos().row, err.pos().col) }
        }
    })
}

/// Refuses by a glance over the markup what would break or slow the parser, which recurses for each level and has no limits.
fn limits(text: &str) -> Result<(), Unreadable> {
    let too_much =
        |what, count: usize, max: usize| Err(Unreadable::TooMuch { what, count: count as u64, max: max as u64 });
    if BYTES_MAX < text.len() {
        return too_much("bytes of XML", text.len(), BYTES_MAX);
    }
    // For each open element, the namespaces in scope.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at..).unwrap_or_default();
        let after = |end: &str, rest: &'_ str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = if rest.starts_with("<!--") {
            after("-->", rest)
        } else if rest.starts_with("<![CDATA[") {
            after("]]>", rest)
        } else if rest.starts_with("<?") {
            after("?>", rest)
        } else if rest.starts_with("</") {
            open.pop();
            after(">", rest)
        } else {
            let (length, n_attributes) = start_tag(rest.as_bytes());
            if ATTRIBUTES_MAX < n_attributes {
                return too_much("attributes in one XML element", n_attributes, ATTRIBUTES_MAX);
            }
            let tag = rest.get(..length).unwrap_or_default();
            let n_namespaces = open.last().unwrap_or(&0) + tag.matches("xmlns").count();
            if NAMESPACES_MAX < n_namespaces {
                return too_much("XML namespaces in one place", n_namespaces, NAMESPACES_MAX);
            }
            if !tag.ends_with("/>") && !tag.starts_with("<!") {
                open.push(n_namespaces);
            }
            if DEPTH_MAX < open.len() {
                return too_much("levels of XML", open.len(), DEPTH_MAX);
            }
            length
        };
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    Ok(())
}

/// Length of the tag in bytes, and how many quoted values are in it.
fn start_tag(bytes: &[u8]) -> (usize, usize) {
    let (mut quote, mut n_values) = (None, 0);
    for (idx, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return (idx + 1, n_values),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => {
                quote = None;
                n_values += 1;
            }
            _ => {}
        }
    }
    (bytes.len(), n_values)
}

/// The text of an XML document: UTF-8, UTF-16 with a mark, or the 8-bit encodings it may declare.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let broken = |why: &str| Unreadable::Broken { what: "XML document", why: why.to_owned() };
    if BYTES_MAX < bytes.len() {
        return Err(Unreadable::TooMuch { what: "bytes of XML", count: bytes.len() as u64, max: BYTES_MAX as u64 });
    }
    // UTF-16 without its mark is known by the first sign of any XML (XML 1.0, appendix F).
    let mark: &[u8] = match bytes {
        [b'<', 0, ..] => b"\xff\xfe",
        [0, b'<', ..] => b"\xfe\xff",
        _ => b"",
    };
    let with_mark = if mark.is_empty() { None } else { Some([mark, bytes].concat()) };
    if let Some(text) = utf16(with_mark.as_deref().unwrap_or(bytes)) {
        return text.ok_or_else(|| broken("it is not valid UTF-16"));
    }
    // The mark is what the bytes are; a declaration may be left over from before they were converted.
    let (bytes, marked) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(bytes) => (bytes, true),
        None => (bytes, false),
    };
    let declared = if marked { String::new() } else { declaration(bytes) };
    if !marked && declares_chinese(bytes) {
        let (text, _, wrong) = encoding_rs::GB18030.decode(bytes);
        return if wrong { Err(broken("it is not valid GB18030")) } else { Ok(text.trim_start().to_owned()) };
    }
    let text = if declared.contains("8859-1\"") || declared.contains("8859-1'") || declared.contains("windows-1252") {
        windows_1252(bytes)
    } else {
        String::from_utf8(bytes.to_vec())
            .map_err(|err| broken(&format!("byte {} is not valid UTF-8", err.utf8_error().valid_up_to())))?
    };
    Ok(text.trim_start().to_owned())
}

/// The declaration at the beginning, in lower case; empty where there is none.
fn declaration(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(200)).unwrap_or_default()).to_lowercase();
    let declared = head.strip_prefix("<?xml").and_then(|it| it.split_once("?>"));
    declared.map(|(it, _)| it.to_owned()).unwrap_or_default()
}

/// Does it say that it is written in the national encoding of China, or in one of the two that are part of it?
pub(crate) fn declares_chinese(bytes: &[u8]) -> bool {
    let declared = declaration(bytes);
    let Some((_, encoding)) = declared.split_once("encoding") else { return false };
    let encoding = encoding.trim_start_matches([' ', '=', '"', '\'']);
    ["gb2312", "gbk", "gb18030"].iter().any(|it| encoding.starts_with(it))
}

/// The text behind a byte order mark of UTF-16: none without the mark, `Some(None)` where it lies.
pub(crate) fn utf16(bytes: &[u8]) -> Option<Option<String>> {
    let read: fn([u8; 2]) -> u16 = match bytes.get(..2)? {
        b"\xff\xfe" => u16::from_le_bytes,
        b"\xfe\xff" => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, rest) = bytes.get(2..)?.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
    Some(if rest.is_empty() { String::from_utf16(&units).ok() } else { None })
}

/// Windows-1252, and by it ISO 8859-1: the difference is in control characters that no document means.
pub(crate) fn windows_1252(bytes: &[u8]) -> String {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let high: Vec<char> = HIGH.chars().collect();
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9f => high.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
            byte => char::from(*byte),
        })
        .collect()
}

/// A parsed document and, for each element, its place among its brothers of the same name.
pub(crate) struct Tree {
    /// By node number: 0 where the element has no such brother, else counted from 1.
    positions: Vec<u32>,
}

impl Tree {
    pub(crate) fn new(document: &Document<'_>) -> Tree {
        let mut positions = Vec::new();
        for parent in document.descendants().filter(Node::has_children) {
            let mut seen: std::collections::HashMap<&str, (u32, usize)> = std::collections::HashMap::new();
            for child in parent.children().filter(Node::is_element) {
                let id = child.id().get_usize();
                if positions.len() <= id {
                    positions.resize(id + 1, 0);
                }
                let (count, first) = seen.entry(child.tag_name().name()).or_insert((0, id));
                *count += 1;
                if *count == 2
                    && let Some(position) = positions.get_mut(*first)
                {
                    *position = 1;
                }
                if let Some(position) = positions.get_mut(id)
                    && 1 < *count
                {
                    *position = *count;
                }
            }
        }
        Tree { positions }
    }

    /// `/Invoice/InvoiceLine[2]/ID`
    pub(crate) fn path(&self, node: Node<'_, '_>) -> String {
        let mut steps: Vec<String> = node
            .ancestors()
            .filter(Node::is_element)
            .map(|it| match self.positions.get(it.id().get_usize()) {
                Some(position) if 0 < *position => format!("/{}[{position}]", it.tag_name().name()),
                _ => format!("/{}", it.tag_name().name()),
            })
            .collect();
        steps.reverse();
        steps.concat()
    }
}

/// The element's own text; a comment inside it does not cut it.
pub(crate) fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|it| it.text()).collect()
}

/// The elements at `path` below `node`, by local names in the namespaces of the syntax; every branch is followed.
pub(crate) fn all<'a, 'input>(node: Node<'a, 'input>, path: &str) -> Vec<Node<'a, 'input>> {
    let mut nodes = vec![node];
    for step in path.split('/') {
        nodes = nodes
            .iter()
            .flat_map(|it| it.children())
            .filter(|it| it.is_element() && it.tag_name().name() == step && belongs(*it))
            .collect();
    }
    nodes
}

/// The first of [`all`] that has a text.
pub(crate) fn first<'a, 'input>(node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
    all(node, path).into_iter().find(|it| !text(*it).trim().is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn refused(document: &str, reason: &str) {
        let err = read(document.as_bytes()).unwrap_err().to_string();
        assert!(err.contains(reason), "{err}");
    }

    #[test]
    fn xml_that_is_made_to_hurt_is_refused_before_it_is_parsed() {
        let laughs = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>"#;
        refused(laughs, "document type");
        refused(r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#, "document type");
        refused(&format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000)), "257 levels of XML, more than the 256");
        refused(&format!("{}{}", "<a b='>'>".repeat(300), "</a>".repeat(300)), "257 levels of XML, more than the 256");
        let attributes: String = (0..300).map(|idx| format!(" a{idx}=''")).collect();
        refused(&format!("<a{attributes}/>"), "300 attributes in one XML element, more than the 256");
        let nested: String = (0..100).map(|idx| format!("<a xmlns:a{idx}='u' xmlns:b{idx}='u' xmlns:c{idx}='u'  xmlns:d{idx}='u' xmlns:e{idx}='u' xmlns:f{idx}='u'>")).collect();
        refused(&nested, "132 XML namespaces in one place, more than the 128");
        refused(&format!("<a>{}</a>", "<b/>".repeat(2_000_001)), "2000001 XML nodes, more than the 2000000");
        refused("<a><b></a>", "line 1, column");
        refused("<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>", "its root is `Order`");
    }

    #[test]
    fn what_only_looks_like_depth_is_not_counted() {
        let quiet = format!(
            "<!-- {} --><a><![CDATA[{}]]>{}</a>",
            "<x>".repeat(400),
            "<x>".repeat(400),
            "<b/><c></c>".repeat(400)
        );
        assert!(limits(&quiet).is_ok());
    }

    #[test]
    fn the_encodings_that_invoices_come_in_are_decoded() {
        let utf16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("<a>ä</a>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&utf16).unwrap(), "<a>ä</a>");
        assert_eq!(decode(b"\xef\xbb\xbf <a/>").unwrap(), "<a/>");
        let unmarked: Vec<u8> = "<a>ä</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&unmarked).unwrap(), "<a>ä</a>");
        let marked = "\u{feff}<?xml version='1.0' encoding='ISO-8859-1'?><a>ä</a>";
        assert!(decode(marked.as_bytes()).unwrap().ends_with("<a>ä</a>"), "the mark wins");
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>";
        assert!(decode(latin).unwrap().ends_with("<a>ä</a>"));
        let chinese = b"<?xml version=\"1.0\" encoding=\"GBK\"?><a>\xb7\xa2\xc6\xb1</a>";
        assert!(decode(chinese).unwrap().ends_with("<a>发票</a>"));
        assert!(
            decode(b"<?xml version='1.0' encoding='GB2312'?><a>\xff\xff</a>")
                .unwrap_err()
                .to_string()
                .contains("GB18030")
        );
        assert!(decode(b"<a>\xe4</a>").unwrap_err().to_string().contains("byte 3 is not valid UTF-8"));
        assert!(decode(b"\xff\xfe<\0a").unwrap_err().to_string().contains("UTF-16"));
    }

    #[test]
    fn a_place_is_named_by_its_position_where_it_has_brothers() {
        let text = "<r><a/><b>1</b><a><c/></a></r>";
        let document = parse(text, "XML document").unwrap();
        let tree = Tree::new(&document);
        let paths: Vec<String> = document.descendants().filter(Node::is_element).map(|it| tree.path(it)).collect();
        assert_eq!(paths, ["/r", "/r/a[1]", "/r/b", "/r/a[2]", "/r/a[2]/c"]);
    }
}
