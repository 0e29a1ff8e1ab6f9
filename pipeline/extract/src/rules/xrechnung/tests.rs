use crate::rules::peppol::tests::INVOICE;
use crate::rules::tests::check;

const PEPPOL: &str = "#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const CIUS: &str = "#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0";

fn invoice() -> String {
    INVOICE.replace(PEPPOL, CIUS)
}

#[test]
fn a_sound_xrechnung_breaks_no_rule() {
    check(&invoice(), "R-1", "R-1", &[]);
}

#[test]
fn each_rule_of_xrechnung_tells_its_own_breach() {
    for (from, to, expected) in [
        ("<cbc:BuyerReference>4711</cbc:BuyerReference>", "", &["BR-DE-15"][..]),
        ("<cbc:CityName>Ystad</cbc:CityName>", "", &["BR-DE-3"]),
        ("<cbc:Telephone>+46 40 1</cbc:Telephone>", "<cbc:Telephone>none</cbc:Telephone>", &["BR-DE-27"]),
        ("ada@nordwind.example", "ada@nordwind", &["BR-DE-28"]),
        (">380<", ">384<", &["BR-DE-26"]),
        (">380<", ">386<", &["BR-DE-17"]),
        ("xrechnung_3.0", "xrechnung_2.3", &["BR-DE-21"]),
        ("0130 00", "0130 01", &["BR-DE-19"]),
        (">58<", ">59<", &["BR-DE-20", "BR-DE-25-a", "BR-DE-25-b", "PEPPOL-EN16931-R061"]),
        (">58<", ">48<", &["BR-DE-24-a", "BR-DE-24-b"]),
        // Peppol's rules that XRechnung takes over, and none of the others.
        ("<cbc:EndpointID schemeID=\"0009\">123</cbc:EndpointID>", "", &["PEPPOL-EN16931-R010"]),
        ("4006381333931", "4006381333932", &[]),
    ] {
        check(&invoice(), from, to, expected);
    }
}

#[test]
fn a_cash_discount_is_written_as_published() {
    let from = "Within 30 days.";
    for sound in [
        "#SKONTO#TAGE=14#PROZENT=2.25#\n",
        "Text\n#SKONTO#TAGE=14#PROZENT=2.25#\n#SKONTO#TAGE=28#PROZENT=1.00#BASISBETRAG=-357.93#\n  ",
        "Within 30 days, 2 # off",
    ] {
        check(&invoice(), from, sound, &[]);
    }
    for broken in [
        "#SKONTO#TAGE=14#PROZENT=2.25#",
        "#SKONTO#TAGE=14#PROZENT=2,25#\n",
        "#SKONTO#TAGE=14#PROZENT=2.250#\n",
        "#Skonto#TAGE=14#PROZENT=2.25#\n",
        "#SKONTO#TAGE=14#PROZENT=2.25# or so\n",
        "#\n",
    ] {
        check(&invoice(), from, broken, &["BR-DE-18"]);
    }
}

#[test]
fn the_extension_and_the_variant_for_vehicles_add_their_rules() {
    let extension =
        INVOICE.replace(PEPPOL, &format!("{CIUS}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0"));
    check(&extension, "R-1", "R-1", &[]);
    check(&extension, "schemeID=\"0009\"", "schemeID=\"9999\"", &["BR-CL-25", "BR-DEX-07"]);
    let payment = "<cac:PrepaidPayment><cbc:ID>1</cbc:ID><cbc:PaidAmount currencyID=\"EUR\">5.00</cbc:PaidAmount><cbc:InstructionID>tip</cbc:InstructionID></cac:PrepaidPayment><cac:PaymentTerms>";
    check(&extension, "<cac:PaymentTerms>", payment, &["BR-DEX-09"]);
    let vehicles = INVOICE.replace(PEPPOL, &format!("{CIUS}#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9"));
    check(&vehicles, "R-1", "R-1", &["BR-DE-CVD-01", "BR-DE-CVD-02", "BR-DE-CVD-03"]);
}
