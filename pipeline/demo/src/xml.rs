/// Writes XML that is indented and escaped; elements close themselves, so a document cannot come out unbalanced.
#[derive(Debug)]
pub(crate) struct Xml {
    text: String,
    depth: usize,
}

/// A document with one root element; `content` writes what is in it.
pub(crate) fn document(root: &str, namespaces: &[(&str, &str)], content: impl FnOnce(&mut Xml)) -> String {
    let mut xml = Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into(), depth: 0 };
    let attributes: String = namespaces.iter().map(|(name, uri)| format!(" {name}=\"{uri}\"")).collect();
    xml.element(root, &attributes, content);
    xml.text
}

impl Xml {
    pub(crate) fn group(&mut self, name: &str, content: impl FnOnce(&mut Xml)) {
        self.element(name, "", content);
    }

    pub(crate) fn leaf(&mut self, name: &str, value: &str) {
        self.leaf_with(name, &[], value);
    }

    pub(crate) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], value: &str) {
        self.indent();
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
        self.text.push_str(&format!("<{name}{attributes}>{}</{name}>\n", escaped(value)));
    }

    fn element(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Xml)) {
        self.indent();
        self.text.push_str(&format!("<{name}{attributes}>\n"));
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        self.text.push_str(&format!("</{name}>\n"));
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// The value as text or attribute; characters that XML 1.0 forbids are dropped.
pub(crate) fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => {}
            c => escaped.push(c),
        }
    }
    escaped
}
