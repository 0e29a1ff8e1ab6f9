use crate::invoice::Party;

/// An invented company, with identifiers whose check digits hold.
#[derive(Debug)]
pub(crate) struct Company {
    /// The number in the vendor master; empty for a stranger.
    pub(crate) id: &'static str,
    name: &'static str,
    street: &'static str,
    postcode: &'static str,
    city: &'static str,
    pub(crate) country: &'static str,
    /// Empty where there is none.
    vat_id: &'static str,
    register: &'static str,
    account: &'static str,
    bic: &'static str,
    contact: &'static str,
    phone: &'static str,
    email: &'static str,
}

impl Company {
    pub(crate) fn party(&self) -> Party {
        let present = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Party {
            name: self.name.into(),
            street: self.street.into(),
            postcode: self.postcode.into(),
            city: self.city.into(),
            country: self.country.into(),
            vat_id: present(self.vat_id),
            register: present(self.register),
            account: present(self.account),
            bic: present(self.bic),
            contact: self.contact.into(),
            phone: self.phone.into(),
            email: self.email.into(),
        }
    }
}

/// The company whose inbox this is.
pub fn buyer() -> Party {
    NORTHWIND.party()
}

/// The vendor master of the demonstration.
pub(crate) const VENDORS: [&Company; 12] = [
    &NORDLICHT,
    &MUELLER,
    &LEFEVRE,
    &VAN_DER_MEER,
    &LUDWIG,
    &PRAIRIE,
    &BLUE_HARBOUR,
    &ALPENBLICK,
    &HOFMANN,
    &GRUENWALD,
    &KESSLER,
    &OSTSEE,
];

const NORTHWIND: Company = Company {
    id: "",
    name: "Northwind Mills GmbH",
    street: "Speicherstraße 14",
    postcode: "20457",
    city: "Hamburg",
    country: "DE",
    vat_id: "DE187349025",
    register: "HRB 148201",
    account: "",
    bic: "",
    contact: "Accounts Payable",
    phone: "+49 40 5550140",
    email: "invoices@northwind-mills.example",
};

pub(crate) const NORDLICHT: Company = Company {
    id: "V1001",
    name: "Nordlicht Werkzeuge GmbH",
    street: "Am Wall 88",
    postcode: "28195",
    city: "Bremen",
    country: "DE",
    vat_id: "DE261158736",
    register: "HRB 30417",
    account: "DE46290501010081734902",
    bic: "BREMDE22XXX",
    contact: "Wiebke Harms",
    phone: "+49 421 5550118",
    email: "rechnung@nordlicht-werkzeuge.example",
};

pub(crate) const MUELLER: Company = Company {
    id: "V1002",
    name: "Bäckerei-Technik Müller & Söhne KG",
    street: "Ofenstraße 3",
    postcode: "81673",
    city: "München",
    country: "DE",
    vat_id: "DE309482170",
    register: "HRA 77215",
    account: "DE68700519950026115873",
    bic: "ISARDEM1XXX",
    contact: "Korbinian Müller",
    phone: "+49 89 5550271",
    email: "buchhaltung@mueller-soehne.example",
};

pub(crate) const LEFEVRE: Company = Company {
    id: "V1003",
    name: "Papeterie Lefèvre SARL",
    street: "12 rue des Tanneurs",
    postcode: "69002",
    city: "Lyon",
    country: "FR",
    vat_id: "FR17493182760",
    register: "493182760",
    account: "FR7630438002170002864190760",
    bic: "RHONFR2LXXX",
    contact: "Élise Lefèvre",
    phone: "+33 4 55501290",
    email: "facturation@papeterie-lefevre.example",
};

pub(crate) const VAN_DER_MEER: Company = Company {
    id: "V1004",
    name: "Van der Meer Packaging B.V.",
    street: "Maaskade 41",
    postcode: "3071 NA",
    city: "Rotterdam",
    country: "NL",
    vat_id: "NL824173600B28",
    register: "62417738",
    account: "NL05INGB0417164823",
    bic: "INGBNL2AXXX",
    contact: "Pieter van der Meer",
    phone: "+31 10 5550142",
    email: "invoices@vandermeer-packaging.example",
};

pub(crate) const LUDWIG: Company = Company {
    id: "V1005",
    name: "Ludwig Getreidehandel OHG",
    street: "Kornmarkt 5",
    postcode: "93047",
    city: "Regensburg",
    country: "DE",
    vat_id: "DE215703466",
    register: "HRA 6120",
    account: "DE52250500000190948217",
    bic: "DONADE55XXX",
    contact: "Theresa Ludwig",
    phone: "+49 941 555033",
    email: "rechnungen@ludwig-getreide.example",
};

pub(crate) const PRAIRIE: Company = Company {
    id: "V1006",
    name: "Prairie Instruments Inc.",
    street: "2200 Elevator Road",
    postcode: "50309",
    city: "Des Moines",
    country: "US",
    vat_id: "",
    register: "IA-4471902",
    account: "4471902083",
    bic: "PRAIUS44XXX",
    contact: "Dana Whitfield",
    phone: "+1 515 5550176",
    email: "billing@prairie-instruments.example",
};

pub(crate) const BLUE_HARBOUR: Company = Company {
    id: "V1007",
    name: "Blue Harbour Consulting GmbH",
    street: "Vorsetzen 12",
    postcode: "20459",
    city: "Hamburg",
    country: "DE",
    vat_id: "DE294330189",
    register: "HRB 152880",
    account: "DE88200411330421570346",
    bic: "ELBEDEHHXXX",
    contact: "Ida Sommer",
    phone: "+49 40 5550163",
    email: "finance@blue-harbour.example",
};

pub(crate) const ALPENBLICK: Company = Company {
    id: "V1008",
    name: "Alpenblick Maschinenbau GmbH",
    street: "Industriezeile 30",
    postcode: "4020",
    city: "Linz",
    country: "AT",
    vat_id: "ATU64209181",
    register: "FN 318442k",
    account: "AT162032000012345864",
    bic: "OBERAT2LXXX",
    contact: "Florian Egger",
    phone: "+43 732 555017",
    email: "rechnung@alpenblick-maschinenbau.example",
};

pub(crate) const HOFMANN: Company = Company {
    id: "V1009",
    name: "Hofmann Elektrotechnik GmbH",
    street: "Voltastraße 19",
    postcode: "60486",
    city: "Frankfurt am Main",
    country: "DE",
    vat_id: "DE149082653",
    register: "HRB 90331",
    account: "DE09500700100029433018",
    bic: "MAINDEFFXXX",
    contact: "Sabine Hofmann",
    phone: "+49 69 5550184",
    email: "faktura@hofmann-elektro.example",
};

pub(crate) const GRUENWALD: Company = Company {
    id: "V1010",
    name: "Grünwald Logistik GmbH",
    street: "Hafenring 7",
    postcode: "23552",
    city: "Lübeck",
    country: "DE",
    vat_id: "DE317225902",
    register: "HRB 14802",
    account: "DE74170540400032250417",
    bic: "OSTSDE21XXX",
    contact: "Nele Grünwald",
    phone: "+49 451 555092",
    email: "accounts@gruenwald-logistik.example",
};

pub(crate) const KESSLER: Company = Company {
    id: "V1011",
    name: "Kessler Bürobedarf e. K.",
    street: "Lindenallee 64",
    postcode: "45127",
    city: "Essen",
    country: "DE",
    vat_id: "DE278461037",
    register: "HRA 11846",
    account: "DE40280200500031722590",
    bic: "RUHRDE33XXX",
    contact: "Holger Kessler",
    phone: "+49 201 5550137",
    email: "rechnung@kessler-buero.example",
};

pub(crate) const OSTSEE: Company = Company {
    id: "V1012",
    name: "Ostsee Druck & Papier GmbH",
    street: "Strandstraße 22",
    postcode: "18055",
    city: "Rostock",
    country: "DE",
    vat_id: "DE322504173",
    register: "HRB 9914",
    account: "DE14100900002727846103",
    bic: "WARNDE21XXX",
    contact: "Jule Petersen",
    phone: "+49 381 555048",
    email: "rechnung@ostsee-druck.example",
};

/// In nobody's vendor master.
pub(crate) const SCHNELLMEDIA: Company = Company {
    id: "",
    name: "Schnellmedia Vertriebs GmbH",
    street: "Postfach 1190",
    postcode: "10117",
    city: "Berlin",
    country: "DE",
    vat_id: "DE288619344",
    register: "HRB 201144",
    account: "DE73370601930028861934",
    bic: "SPREDEBBXXX",
    contact: "Team Abrechnung",
    phone: "+49 30 5550199",
    email: "zahlung@schnellmedia.example",
};
