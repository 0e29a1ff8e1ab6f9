/// Wordings that mark a clause. In a cue, `*` stands for up to ten words in between and a final `~` for any ending; `|` parts
/// the wordings.
pub(super) struct Category {
    pub(super) name: &'static str,
    /// How sure a sentence with one of these wordings is a clause of this category.
    pub(super) confidence: f64,
    pub(super) cues: &'static str,
}

/// CUAD's names for its categories, and ours beside them.
pub(super) const CATEGORIES: &[Category] = &[
    Category {
        name: "governing_law",
        confidence: 0.9,
        cues: "governed by * law~ | governed * accordance with * law~ | construed * accordance with * law~ | \
            interpreted * under the laws | laws of * shall govern | law of * shall govern | \
            subject to the laws of | es gilt * recht | gilt * recht der | unterliegt * recht | \
            gilt deutsches recht | nach deutschem recht | gilt ausschließlich * recht | \
            findet * recht * anwendung",
    },
    Category {
        name: "cap_on_liability",
        confidence: 0.8,
        cues: "liability * not exceed | liability * exceed | liability * limited to | liabilities * exceed | \
            liable * excess of | liable * in excess | liable * exceeding | maximum * liability | \
            liability * capped at | liability cap | damages * not exceed | damages * exceed * amount | \
            haftung * begrenzt auf | haftung * beschränkt auf | haftet * begrenzt auf | haftet * bis zu | \
            haftet * maximal | haftung * maximal | haftung * der höhe nach | haftungshöchstgrenze | \
            haftungsobergrenze | haftung * höchstens | haftung * insgesamt * begrenzt",
    },
    Category {
        name: "uncapped_liability",
        confidence: 0.8,
        cues: "liability * unlimited | unlimited liability | liable without limitation | \
            liability without limitation | without limitation of liability | without limit * liability | \
            liability * not * subject to * limit~ | liability shall not be limited | liability is not limited | \
            liable without limit | no limit~ * liability shall apply | nothing * limit~ * liability | \
            nothing * exclude~ * liability | limitation~ * shall not apply | limitation~ * do not apply | \
            limitation~ * not apply to | haftet * unbeschränkt | haftung * unbeschränkt | haftet * unbegrenzt | \
            haftung * unbegrenzt | unbeschränkt~ * haft~ | haftungsbeschränkung~ * gilt nicht | \
            haftungsbeschränkung~ * gelten nicht",
    },
    Category {
        name: "termination_for_convenience",
        confidence: 0.75,
        cues: "terminat~ * for convenience | terminat~ * without cause | terminat~ * for any reason | \
            terminat~ * for any or no reason | terminat~ * with or without cause | \
            terminat~ * at any time upon | terminat~ * at any time by giving | terminat~ * at any time on | \
            terminat~ * at its convenience | terminat~ * at its sole discretion | jederzeit * gekündigt | \
            ohne angabe von gründen | ordentlich * kündbar | ordentliche kündigung | ordentlich * gekündigt | \
            jederzeit * kündigen | mit einer frist von * kündigen | mit einer frist von * gekündigt",
    },
    Category {
        name: "renewal_term",
        confidence: 0.8,
        cues: "automatically renew~ | automatically be renewed | automatically extend~ | \
            automatically be extended | renew~ automatically | renew~ for * additional | \
            renew~ for * successive | renew~ * successive | option to renew | option to extend | \
            right to renew | right to extend * term | renewal term~ | renewed for | extended for * additional | \
            verlängert sich | automatische verlängerung | stillschweigend * verlänger~ | verlängerungsoption",
    },
    Category {
        name: "confidentiality",
        confidence: 0.75,
        cues: "keep * confidential | hold * in confidence | maintain * confidential~ | treat * as confidential | \
            not disclose * confidential information | confidential information shall | strict confidence | \
            vertraulich * behandeln | vertraulich behandelt | geheim zu halten | geheim * halten | \
            stillschweigen * bewahren | zur verschwiegenheit | geheimhaltungspflicht~",
    },
    Category {
        name: "data_protection",
        confidence: 0.8,
        cues: "personal data | data protection law~ | data protection legislation | gdpr | \
            general data protection regulation | data processing agreement | dsgvo | personenbezogen~ daten | \
            datenschutz-grundverordnung | auftragsverarbeitung | datenschutzrechtlich~",
    },
    Category {
        name: "indemnity",
        confidence: 0.85,
        cues: "indemnify | indemnifies | indemnification obligations | hold harmless | hold * harmless | \
            keep * indemnified | freizustellen | stellt * frei | freistellung von | schad- und klaglos | \
            von allen ansprüchen * frei",
    },
    Category {
        name: "payment_terms",
        confidence: 0.8,
        cues: "payable within | paid within * days | pay * within * days | payment * within * days | \
            payable * days after | due within * days | due * days after | due * days from | net 30 | net 60 | \
            net 45 | net 90 | payment terms | within * days of receipt of * invoice | \
            within * days of * invoice | within * days after receipt of * invoice | zahlbar innerhalb | \
            innerhalb von * tagen * zahlbar | innerhalb von * tagen zu zahlen | binnen * tagen * zahl~ | \
            zahlungsziel | zahlung * innerhalb von * tagen | tagen nach * rechnung~",
    },
    Category {
        name: "anti_assignment",
        confidence: 0.85,
        cues: "may not assign | may not be assigned | shall not assign | shall not be assigned | \
            not assign * without | not be assigned * without | not assignable | neither party may assign | \
            neither party shall assign | assign~ * without the prior written consent | \
            assign~ * without * prior * consent | no assignment | nicht * abtreten | \
            abtretung * nur mit * zustimmung | abtretung * bedarf | übertrag~ * ohne * zustimmung | \
            nicht abgetreten werden | nur mit * zustimmung * abtret~ | nur mit * zustimmung * übertrag~",
    },
    Category {
        name: "exclusivity",
        confidence: 0.7,
        cues: "exclusive right~ | exclusive distributor | exclusive supplier | exclusive provider | \
            on an exclusive basis | sole and exclusive * distributor | exclusively from | \
            exclusively purchase | purchase exclusively | exclusive license | exclusive agent | \
            exclusive manufacturer | appoints * exclusive | exklusiv~ * beliefern | exklusivität | \
            exklusiv~ recht~ | ausschließlich beim | ausschließlich von * beziehen | alleinvertrieb~",
    },
    Category {
        name: "non_compete",
        confidence: 0.8,
        cues: "not compete | non-compete | noncompete | non-competition | noncompetition | \
            not * engage in * competitive | not * engage in * competing | not * engage in * competes | \
            shall not * sell * competing products | directly or indirectly compete | covenant not to compete | \
            wettbewerbsverbot | nicht in wettbewerb | keinen wettbewerb | konkurrenzverbot",
    },
    Category {
        name: "most_favored_nation",
        confidence: 0.8,
        cues: "most favored | most favoured | most-favored | most-favoured | no less favorable than | \
            no less favourable than | not less favorable than | more favorable * than those * other customer~ | \
            lowest price * any other customer~ | best price~ * any * customer~ | meistbegünstigung~ | \
            meistbegünstigt~ | nicht ungünstiger als",
    },
];

pub(super) const TITLES: &str = "agreement | contract | addendum | amendment | lease | licence | license | vertrag | vereinbarung | \
    rahmenvertrag | dienstleistungsvertrag | liefervertrag | kaufvertrag | mietvertrag | wartungsvertrag | \
    werkvertrag | geheimhaltungsvereinbarung | rahmenvereinbarung | nda | terms";

/// Wordings of a contract, for telling one from other documents.
pub(super) const CONTRACT_CUES: &str = "by and between | between * and | made and entered into | entered into as of | hereinafter | whereas | \
    witnesseth | in witness whereof | this agreement | the parties agree | the parties hereto | governing law | \
    governed by * law~ | entire agreement | hereby agree~ | effective date | zwischen | nachfolgend | \
    im folgenden | vertragspartner~ | vertragsparteien | vertragsgegenstand | gegenstand des vertrags | \
    gegenstand des vertrages | salvatorische klausel | gerichtsstand | vertragsdauer | laufzeit | \
    schlussbestimmungen | dieser vertrag | diese vereinbarung | die parteien vereinbaren | präambel";
/// Wordings that only an invoice has.
pub(super) const INVOICE_CUES: &str = "invoice number | invoice no | invoice date | invoice # | rechnungsnummer | rechnungs-nr | rechnungsdatum | \
    rechnung nr | facture n° | date de facture | bill to | amount due | zahlbetrag | rechnungsbetrag";
