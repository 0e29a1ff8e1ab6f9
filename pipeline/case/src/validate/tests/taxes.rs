use super::*;

fn field(value: impl ToString) -> Value {
    let value = value.to_string();
    json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}})
}

fn totals(it: &mut Value, values: &[(&str, &str)]) {
    for (name, value) in values {
        it["fields"][*name] = field(value);
    }
}

/// With this rate on its one group, and VAT that is right by it.
fn taxed(rate: &'static str, tax: &'static str, gross: &'static str) -> impl Fn(&mut Value) {
    move |it: &mut Value| {
        it["fields"]["vat_breakdown"][0] = json!({"rate": field(rate), "taxable": field("9.99"), "tax": field(tax)});
        totals(it, &[("tax_total", tax), ("gross_total", gross), ("payable", gross)]);
    }
}

#[test]
fn a_rate_of_vat_that_no_country_asks_for_is_held_however_well_it_adds_up() {
    check(taxed("27", "2.70", "12.69"), &[]);
    check(taxed("27.01", "2.70", "12.69"), &["Hold TAX check.tax_rate_max"]);
    check(taxed("95", "9.49", "19.48"), &["Hold TAX check.tax_rate_max"]);
    let written = |it: &mut Value| (taxed("95", "9.49", "19.48")(it), set(it, "/format", "ubl")).1;
    check(written, &["Hold TAX check.tax_rate_max"]);
    let on_the_line = |it: &mut Value| {
        taxed("95", "9.49", "19.48")(it);
        it["lines"][0]["vat_rate"] = field("95.0");
    };
    check(on_the_line, &["Hold TAX check.tax_rate_max"]);
    let on_the_line_alone = |it: &mut Value| (on_the_line(it), set(it, "/fields/vat_breakdown", json!([]))).1;
    check(on_the_line_alone, &["Hold TAX check.tax_rate_max"]);
    let higher = [("rate_percent_max = \"27\"", "rate_percent_max = \"95\"")];
    again(taxed("95", "9.49", "19.48"), &[], &higher, [Some(Code::Tax), None]);
    again(taxed("27", "2.70", "12.69"), &[], &[], [None, None]);
}

#[test]
fn vat_whose_rate_has_no_place_is_no_more_than_the_highest_rate_makes_it() {
    let minimum = |tax: &'static str, gross: &'static str, currency: &'static str| {
        move |it: &mut Value| {
            taxed("1", tax, gross)(it);
            remove(it, "vat_breakdown");
            set(it, "/format", "factur-x");
            set(it, "/fields/currency/value", currency);
            it["profile"] = json!("factur-x-minimum");
        }
    };
    check(minimum("2.70", "12.69", "EUR"), &[]);
    check(minimum("2.71", "12.70", "EUR"), &["Hold TAX check.tax_rate_max"]);
    check(minimum("3", "12.99", "HUF"), &[]);
    check(minimum("9.49", "19.48", "EUR"), &["Hold TAX check.tax_rate_max"]);
}

#[test]
fn a_stamp_duty_is_no_more_than_the_law_asks_for() {
    let stamped = |duty: &'static str, gross: &'static str| {
        move |it: &mut Value| totals(it, &[("stamp_duty", duty), ("gross_total", gross), ("payable", gross)])
    };
    check(stamped("2.00", "13.89"), &[]);
    check(stamped("2.01", "13.90"), &["Hold ARITH check.stamp_duty_max"]);
    check(stamped("500.00", "511.89"), &["Hold ARITH check.stamp_duty_max"]);
    // Borne by the seller, it is as wrong.
    check(stamped("500.00", "11.89"), &["Hold ARITH check.stamp_duty_max"]);
    let higher = [("stamp_duty_max = \"2.00\"", "stamp_duty_max = \"16.00\"")];
    again(stamped("16.00", "27.89"), &[], &higher, [Some(Code::Arith), None]);
}

/// A line of 4.99 at 7 % and one of 5.00 at 19 %, and a breakdown of these bases and taxes.
fn shared_out(bases: [(&'static str, &'static str, &'static str); 2], tax: &'static str) -> impl Fn(&mut Value) {
    move |it: &mut Value| {
        let line = |rate: &str, net: &str| json!({"net_amount": field(net), "vat_rate": field(rate)});
        it["lines"] = json!([line("7", "4.99"), line("19.00", "5.00")]);
        let group = |(rate, base, tax)| json!({"rate": field(rate), "taxable": field(base), "tax": field(tax)});
        it["fields"]["vat_breakdown"] = bases.map(group).into();
        let gross = (Decimal::new(999, 2) + tax.parse::<Decimal>().unwrap()).to_string();
        totals(it, &[("tax_total", tax), ("gross_total", &gross), ("payable", &gross)]);
    }
}

#[test]
fn what_the_lines_say_at_one_rate_is_not_taxed_at_another() {
    let both = ["Hold TAX check.tax_base_of_rate"; 2];
    check(shared_out([("7.0", "4.99", "0.35"), ("19", "5.00", "0.95")], "1.30"), &[]);
    let dearer = || shared_out([("7", "0.00", "0.00"), ("19", "9.99", "1.90")], "1.90");
    check(dearer(), &both);
    // The tolerance of VAT holds here too.
    check(shared_out([("7", "4.94", "0.35"), ("19", "5.05", "0.96")], "1.31"), &[]);
    check(shared_out([("7", "4.93", "0.35"), ("19", "5.06", "0.96")], "1.31"), &both);
    // One group, whose base is the net total where it says none.
    let alone = |it: &mut Value| {
        dearer()(it);
        it["fields"]["vat_breakdown"] = json!([{"rate": field("19"), "tax": field("1.90")}]);
    };
    check(alone, &both);
}

#[test]
fn a_group_without_tax_switches_no_comparison_off() {
    let both = ["Hold TAX check.tax_base_of_rate"; 2];
    let beside = |empty: Value| {
        move |it: &mut Value| {
            shared_out([("7", "0.00", "0.00"), ("19", "9.99", "1.90")], "1.90")(it);
            it["fields"]["vat_breakdown"][0] = empty;
        }
    };
    check(beside(json!({"tax": field("0.00")})), &both);
    check(beside(json!({"tax": field("0.00"), "taxable": field("0.00")})), &both);
    check(beside(json!({"tax": field("0.00"), "rate": field("7")})), &both);
    // One whose tax is not said is none that is known.
    check(beside(json!({"taxable": field("0.00")})), &["Hold TAX check.tax"]);
    // The base of all is the total, also where one group says none.
    let of_more = |it: &mut Value| {
        taxed("19", "19.00", "28.99")(it);
        let group = json!({"rate": field("19"), "taxable": field("100.00"), "tax": field("19.00")});
        it["fields"]["vat_breakdown"] = json!([group, {"tax": field("0.00")}]);
    };
    check(of_more, &["Hold TAX check.tax_base"]);
    // Goods without VAT beside others, and alone.
    let free = |it: &mut Value| {
        shared_out([("7", "4.99", "0.35"), ("19", "5.00", "0.00")], "0.35")(it);
        it["lines"][1]["vat_rate"] = field("0");
        assert!(it["fields"]["vat_breakdown"][1].as_object_mut().unwrap().remove("rate").is_some());
    };
    check(free, &[]);
    let alone = |it: &mut Value| {
        taxed("19", "0.00", "9.99")(it);
        it["fields"]["vat_breakdown"] = json!([{"tax": field("0.00")}]);
    };
    check(alone, &[]);
}

#[test]
fn bases_differ_from_lines_by_what_belongs_to_no_rate_and_no_more() {
    let both = ["Hold TAX check.tax_base_of_rate"; 2];
    let dearer = || shared_out([("7", "0.00", "0.00"), ("19", "9.99", "1.90")], "1.90");
    // A line without a rate, and charges on the whole, whose rate is not known.
    let silent = |it: &mut Value| {
        dearer()(it);
        assert!(it["lines"][0].as_object_mut().unwrap().remove("vat_rate").is_some());
    };
    check(silent, &[]);
    // A line of a cent that says no rate hides no others.
    let a_cent = |it: &mut Value| {
        dearer()(it);
        it["lines"][1]["net_amount"] = field("4.99");
        it["lines"].as_array_mut().unwrap().push(json!({"net_amount": field("0.01")}));
    };
    check(a_cent, &both);
    let charged = |it: &mut Value| {
        shared_out([("7", "4.99", "0.35"), ("19", "6.00", "1.14")], "1.49")(it);
        let sums = [("charge_total", "1.00"), ("net_total", "10.99"), ("gross_total", "12.48"), ("payable", "12.48")];
        totals(it, &sums);
    };
    check(charged, &[]);
    // Nor does an allowance of a cent.
    let allowed = |it: &mut Value| {
        shared_out([("7", "0.00", "0.00"), ("19", "9.98", "1.90")], "1.90")(it);
        let sums = [("allowance_total", "0.01"), ("net_total", "9.98"), ("gross_total", "11.88"), ("payable", "11.88")];
        totals(it, &sums);
    };
    check(allowed, &both);
    // The published rules were checked.
    check(|it| (dearer()(it), breach(&[])(it)).1, &[]);
    // The lines are not the total, which is said once.
    let apart = |it: &mut Value| {
        shared_out([("7", "4.99", "0.35"), ("19", "5.30", "1.01")], "1.36")(it);
        let sums = [("line_total", "10.29"), ("net_total", "10.29"), ("gross_total", "11.65"), ("payable", "11.65")];
        totals(it, &sums);
    };
    check(apart, &["Info SMALL_DIFF BR-CO-10"]);
}

/// A sound document with another line, and what is found.
#[track_caller]
fn with_line([quantity, price, base, net]: [&str; 4], currency: &str, expected: &[&str]) {
    let change = |it: &mut Value| {
        let line = json!({"quantity": field(quantity), "unit_price": field(price), "price_base": field(base),
                          "net_amount": field(net)});
        it["lines"].as_array_mut().unwrap().push(line);
        let net = Decimal::new(999, 2) + net.parse::<Decimal>().unwrap();
        let tax = cents(net * Decimal::new(19, 2));
        for name in ["line_total", "net_total"] {
            it["fields"][name] = field(net);
        }
        it["fields"]["vat_breakdown"][0] = json!({"rate": field("19"), "taxable": field(net), "tax": field(tax)});
        it["fields"]["tax_total"] = field(tax);
        for name in ["gross_total", "payable"] {
            it["fields"][name] = field(net + tax);
        }
        set(it, "/fields/currency/value", currency);
    };
    check(change, expected);
}

#[test]
fn a_line_is_exact_but_for_what_had_to_be_rounded() {
    let wrong = &["Hold LINE_AMOUNT PEPPOL-EN16931-R120"][..];
    for (figures, expected) in [
        // Of nothing, not even a cent.
        (["1", "0.00", "1", "0.00"], &[][..]),
        (["1", "0.00", "1", "0.01"], wrong),
        (["1000", "0.00", "1", "4.00"], wrong),
        // In whole cents there is nothing to round.
        (["1", "10.00", "1", "10.01"], wrong),
        (["1", "10.005", "1", "10.00"], &[]),
        (["1", "10.005", "1", "10.01"], &[]),
        (["1", "10.005", "1", "10.03"], wrong),
        (["0.5", "10.01", "1", "5.00"], &[]),
        // The price itself was rounded, on each unit that it is for.
        (["20", "2.77", "1", "55.46"], &[]),
        (["20", "2.77", "1", "55.51"], wrong),
        (["5000", "100", "1000", "500.02"], &[]),
        (["5000", "100", "1000", "500.03"], wrong),
    ] {
        with_line(figures, "EUR", expected);
    }
    // In whole units of a currency that has no others.
    let whole = ["64", "36109.00", "100", "23110.00"];
    with_line(whole, "HUF", &[]);
    with_line(whole, "EUR", wrong);
}
