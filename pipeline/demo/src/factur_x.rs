use lopdf::{Dictionary, Object, Stream, dictionary};

use crate::invoice::Invoice;
use crate::xml::escaped;
use crate::{cii, paper, pdf};

/// A PDF that shows `printed` and carries the XML of `embedded`; two different invoices make a hybrid that lies.
pub(crate) fn document(printed: &Invoice, embedded: &Invoice) -> Vec<u8> {
    let mut document = pdf::printed(printed, None).document(&pdf::title(printed), &printed.seller.name);
    let xml = cii::document(embedded).into_bytes();
    let date = embedded.issue_date.strftime("D:%Y%m%d000000Z").to_string();
    let mut file = Stream::new(
        dictionary! {
            "Type" => "EmbeddedFile", "Subtype" => "text/xml",
            "Params" => dictionary! { "Size" => xml.len() as i64, "ModDate" => Object::string_literal(date) },
        },
        xml,
    );
    // An attachment that would not shrink stays plain, which is just as valid.
    let _ = file.compress();
    let file_id = document.add_object(file);
    let attachment_id = document.add_object(dictionary! {
        "Type" => "Filespec",
        "F" => Object::string_literal("factur-x.xml"),
        "UF" => Object::string_literal("factur-x.xml"),
        "Desc" => Object::string_literal("Factur-X invoice"),
        "AFRelationship" => "Data",
        "EF" => dictionary! { "F" => file_id, "UF" => file_id },
    });
    let metadata = Stream::new(dictionary! { "Type" => "Metadata", "Subtype" => "XML" }, xmp(printed).into_bytes());
    let metadata_id = document.add_object(metadata.with_compression(false));

    let attached: Vec<Object> = vec![Object::string_literal("factur-x.xml"), attachment_id.into()];
    let names: Dictionary = dictionary! { "EmbeddedFiles" => dictionary! { "Names" => attached } };
    let catalog_id = paper::catalog_id(&document);
    let catalog = document.get_dictionary_mut(catalog_id).expect("Paper::document adds the catalog");
    catalog.set("Names", names);
    catalog.set("AF", vec![attachment_id.into()]);
    catalog.set("Metadata", metadata_id);
    catalog.set("PageMode", "UseAttachments");
    paper::bytes(document)
}

/// The metadata name the profile and describe the schema that names it. They claim no PDF/A conformance, because the
/// standard fonts are not embedded.
fn xmp(invoice: &Invoice) -> String {
    let (title, author) = (escaped(&pdf::title(invoice)), escaped(&invoice.seller.name));
    let property = |name: &str, words: &str| {
        format!(
            "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>{name}</pdfaProperty:name>\
             <pdfaProperty:valueType>Text</pdfaProperty:valueType>\
             <pdfaProperty:category>external</pdfaProperty:category>\
             <pdfaProperty:description>{words}</pdfaProperty:description></rdf:li>\n"
        )
    };
    let properties = [
        property("DocumentFileName", "The name of the embedded XML document"),
        property("DocumentType", "The type of the hybrid document"),
        property("Version", "The version of the standard of the embedded XML document"),
        property("ConformanceLevel", "The conformance level of the embedded XML document"),
    ]
    .concat();
    format!(
        r#"<?xpacket begin="{bom}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType>
<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version>
<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"#,
        bom = '\u{FEFF}',
    )
}
