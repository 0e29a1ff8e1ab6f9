#!/bin/sh
# Makes the timestamps in this folder anew, with OpenSSL 3 alone. Their times are then those of the run, which the tests
# name; the private keys are thrown away. What is stamped is the text of ../log/checkpoint.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed '/^$/,$d' ../log/checkpoint >"$work/head"
cd "$work"

key() { # NAME ALGORITHM
    case $2 in
    rsa*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa}" -out "$1.key" ;;
    *) openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1.key" ;;
    esac
}

ca_ext='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash'
tsa_ext='basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
subjectKeyIdentifier=hash'

root() { # NAME ALGORITHM [NAME-TO-SHOW]
    key "$1" "$2"
    printf '[req]\ndistinguished_name=d\n[d]\n[x]\n%s\n' "$ca_ext" >"$1.conf"
    openssl req -x509 -new -key "$1.key" -out "$1.pem" -days 36500 -sha384 -subj "/O=Example/CN=Example ${3:-$1}" -config "$1.conf" -extensions x
}

issue() { # NAME ALGORITHM ISSUER EXTENSIONS [START END]
    [ -e "$1.key" ] || key "$1" "$2"
    openssl req -new -key "$1.key" -out "$1.csr" -subj "/O=Example/CN=Example $1"
    mkdir -p "$3.ca" && : >"$3.ca/index" && [ -e "$3.ca/serial" ] || echo 1000 >"$3.ca/serial"
    printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\npolicy=p\nunique_subject=no\ndefault_md=sha256\n[p]\nO=supplied\nCN=supplied\n[x]\n%s\n' "$3.ca" "$3.ca" "$3.ca" "$4" >"$1.conf"
    openssl ca -batch -notext -config "$1.conf" -extensions x -cert "$3.pem" -keyfile "$3.key" -in "$1.csr" -out "$1.pem" \
        -startdate "${5:-20200101000000Z}" -enddate "${6:-21200101000000Z}" 2>/dev/null
}

stamp() { # NAME SIGNER CERTIFICATES DIGEST ESS-DIGEST ACCURACY
    echo 01 >serial
    printf '[t]\nserial=serial\nsigner_cert=%s.pem\ncerts=%s\nsigner_key=%s.key\nsigner_digest=%s\ness_cert_id_alg=%s\ndefault_policy=1.2.3.4.1\ndigests=sha256\n%s\n' \
        "$2" "$3" "$2" "$4" "$5" "$6" >"$1.cnf"
    openssl ts -query -data head -sha256 -cert -out "$1.tsq" 2>/dev/null
    openssl ts -reply -config "$1.cnf" -section t -queryfile "$1.tsq" -out "$1.tsr" 2>/dev/null
}

sign() { # NAME SIGNER CERTIFICATES [OPTION...]: a token over the same TSTInfo by whoever would not be let by `openssl ts`
    name=$1 signer=$2 certificates=$3
    shift 3
    openssl cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 -in tst -outform DER \
        -signer "$signer.pem" -inkey "$signer.key" -certfile "$certificates" -md sha256 -out "$name.token" "$@"
}

root ec-root secp384r1
root rsa-root rsa4096
root impostor P-256 ec-issuer
for n in 0 1 2 3 4 5 6 7 8 9; do root "maze$n" P-256 maze; done
issue ec-issuer P-256 ec-root "$ca_ext"
issue ec-tsa P-256 ec-issuer "$tsa_ext"
stamp ec ec-tsa ec-issuer.pem sha256 sha256 'ordering=yes
tsa_name=yes
accuracy=secs:1,millisecs:500,microsecs:7
clock_precision_digits=6'

issue rsa-tsa rsa2048 rsa-root "$tsa_ext"
stamp rsa rsa-tsa rsa-root.pem sha512 sha512 'ordering=no'

issue p384-tsa secp384r1 ec-root "$tsa_ext"
stamp p384 p384-tsa ec-root.pem sha384 sha1 'clock_precision_digits=3'

# The same statement, signed by those who must not.
openssl ts -reply -in ec.tsr -token_out -out ec.token 2>/dev/null
openssl cms -verify -noverify -inform DER -in ec.token -out tst 2>/dev/null
issue plain P-256 ec-issuer 'keyUsage=critical,digitalSignature'
issue two-uses P-256 ec-issuer 'extendedKeyUsage=critical,timeStamping,codeSigning'
issue not-critical P-256 ec-issuer 'extendedKeyUsage=timeStamping'
issue strange P-256 ec-issuer "$tsa_ext
1.2.3.4.5=critical,ASN1:NULL"
issue expired P-256 ec-issuer "$tsa_ext" 20200101000000Z 20251231235959Z
issue early P-256 ec-issuer "$tsa_ext" 21000101000000Z 21200101000000Z
issue expired-issuer P-256 ec-root "$ca_ext" 20200101000000Z 20251231235959Z
issue by-expired-issuer P-256 expired-issuer "$tsa_ext"
issue by-tsa P-256 ec-tsa "$tsa_ext"
issue weak rsa1024 ec-issuer "$tsa_ext"
issue by-impostor P-256 impostor "$tsa_ext"
issue narrow P-256 ec-root "$(echo "$ca_ext" | sed s/TRUE/TRUE,pathlen:0/)"
issue below-narrow P-256 narrow "$ca_ext"
issue too-deep P-256 below-narrow "$tsa_ext"
for name in plain two-uses not-critical strange expired early weak; do sign "$name" "$name" ec-issuer.pem -cades; done
sign by-expired-issuer by-expired-issuer expired-issuer.pem -cades
cat impostor.pem ec-issuer.pem >certificates
sign by-impostor by-impostor certificates -cades
issue in-maze P-256 maze5 "$tsa_ext"
cat maze?.pem >certificates
sign in-maze in-maze certificates -cades
issue no-issuer P-256 ec-root "$(echo "$ca_ext" | sed s/TRUE/FALSE/)"
issue by-no-issuer P-256 no-issuer "$tsa_ext"
sign by-no-issuer by-no-issuer no-issuer.pem -cades
issue no-signer P-256 ec-root "$(echo "$ca_ext" | sed s/keyCertSign,//)"
issue by-no-signer P-256 no-signer "$tsa_ext"
sign by-no-signer by-no-signer no-signer.pem -cades
cat below-narrow.pem narrow.pem >certificates
sign too-deep too-deep certificates -cades
cat ec-tsa.pem ec-issuer.pem >certificates
sign by-tsa by-tsa certificates -cades
# And by one who may, in ways that are allowed or not.
sign good ec-tsa ec-issuer.pem -cades
sign key-id ec-tsa ec-issuer.pem -cades -keyid
sign rsa-good rsa-tsa rsa-root.pem -cades
sign without-ess ec-tsa ec-issuer.pem
sign without-attributes ec-tsa ec-issuer.pem -noattr
sign without-certificates ec-tsa ec-issuer.pem -cades -nocerts
sign two-signers ec-tsa ec-issuer.pem -cades -signer expired.pem -inkey expired.key
openssl cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.2 -in tst -outform DER -signer ec-tsa.pem -inkey ec-tsa.key -md sha256 \
    -cades -out other-type.token
# Another certificate for the same key, which is not the one that the signer says it used.
cp ec-tsa.key twin.key
issue twin P-256 ec-issuer "$tsa_ext"
cat twin.pem ec-issuer.pem >certificates
sign twin ec-tsa certificates -cades -keyid -nocerts
# A refusal: the request asks for a digest that this authority does not take.
openssl ts -query -data head -sha512 -out refused.tsq 2>/dev/null
openssl ts -reply -config ec.cnf -section t -queryfile refused.tsq -out refused.tsr 2>/dev/null

cp ec.tsq ec.tsr rsa.tsq rsa.tsr p384.tsr refused.tsr ec-root.pem ec-issuer.pem ec-tsa.pem rsa-root.pem "$here"
cp ./*.token "$here"
