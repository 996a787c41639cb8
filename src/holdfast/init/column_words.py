"""The words by which people name the columns that we know, in English and German, best first.

A column's name is read as plain words: ``InvoiceDate``, ``invoice_date`` and ``Invoice date`` are all "invoice date",
and accents are gone. A pattern that stands earlier in a list wins over a later one.
"""

from __future__ import annotations

import re
import unicodedata

_ID = r"(?: (?:id|no|nr|num|number|nummer|key|code|ref|reference|uuid|guid))"
_WHEN = r"(?: (?:at|on|date|time|datum|zeit|day|timestamp|ts|when|am))?"

CUSTOMER = (
    rf"^(?:customer|kunden?|cust){_ID}?$",
    rf"^(?:client|account|user|member|subscriber|shopper|buyer|household|konto|mitglied){_ID}?$",
    rf"^id (?:customer|client|account|user)$|^master{_ID}$",
)
LOADED = (
    rf"^(?:load|loaded|ingest|ingested|insert|inserted|import|imported|sync|synced|etl|extract|extracted|dwh|warehouse|"
    rf"record|recorded)\b.*{_WHEN}$",
)
UPDATED = (rf"^(?:last )?(?:update|updated|modified|changed|edited|geandert)\b{_WHEN}$",)
_EVENT = (
    rf"^(?:happened|occurred|event|effective|action|activity){_WHEN}$",
    r"^(?:date|time|timestamp|datetime|datum|zeit|zeitpunkt|when|ts)$",
    rf"^(?:created|angelegt){_WHEN}$",
)
SEVERITY = (r"^(?:severity|priority|prioritat|urgency|dringlichkeit|schwere)\b",)
STATIC = (
    r"^(?:country|land|nation|region|state|bundesland|gender|geschlecht|language|sprache|industry|branche)(?: code)?$",
    r"^(?:channel|kanal|source|acquired via|acquisition\b.*|referral\b.*|referrer|signup channel|utm\b.*|herkunft)$",
)
"""Attributes that seldom change and are known from the first day on."""
TELLS_THE_FUTURE = re.compile(
    r"\b(?:churn\w*|status|state today|today|heute|current\w*|latest|last|lifetime|ltv|clv|total|count|lapsed|"
    r"inactive|cancel\w*|gekundigt|segment|score|ever)\b"
)
NEGATED = re.compile(
    r"\b(?:out|un\w*subscribed?|not|no|non|never|dnc|dnd|stop|block\w*|refus\w*|suppress\w*|revoked|withdrawn|declin\w*|"
    r"object\w*|widerruf\w*|\w*widersp\w*|abgemeldet|gesperrt|\w*sperre|keine|desinscrit|baja)\b"
)
YES = ("1", "true", "t", "yes", "y", "ja", "j", "oui", "si", "on", "x")
NO = ("0", "false", "f", "no", "n", "nein", "non", "off")
"""The words for yes and no, in lower case."""

WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {
        "customer_id": (*CUSTOMER, r"^id$"),
        "event_time": (
            rf"^(?:order|ordered|purchase|purchased|invoice|transaction|booking|booked|sale|sold|paid|payment|placed|"
            rf"bestell|kauf|rechnungs|buchungs)(?:datum|zeit)?{_WHEN}$",
            *_EVENT,
        ),
        "known_time": LOADED + UPDATED,
        "amount": (
            r"^(?:net|netto)\b(?!.*(?:tax|cost|discount)).*$",
            r"^(?:amount|revenue|sales|total|value|turnover|spend|betrag|umsatz|summe)$",
            r"^(?:order|line|invoice|total|paid|sales|item) (?:amount|revenue|total|value|price|paid)(?: \w{3})?$",
            r"^(?:gross|brutto)\b.*$",
            r"^(?:price|preis|unit price|stuckpreis|einzelpreis)$",
        ),
        "order_id": (
            rf"^(?:order|invoice|receipt|basket|transaction|bill|bon|rechnung|rechnungs|bestell|beleg){_ID}$",
            r"^(?:invoice|order|receipt|basket|bestellnummer|rechnungsnummer|belegnummer)$",
        ),
        "margin": (r"^(?:margin|profit|gross (?:margin|profit)|marge|deckungsbeitrag|gewinn)\b",),
        "discount": (r"^(?:discount|rebate|rabatt|nachlass)(?: amount| value| betrag)?$",),
        "quantity": (r"^(?:quantity|qty|units|pieces|menge|anzahl|stuck)$",),
        "category": (
            r"^(?:product|item|article|produkt|waren)? ?"
            r"(?:category|group|gruppe|kategorie|warengruppe|department|family)$",
            rf"^(?:stock|product|item|article|artikel|produkt)(?:{_ID}|nummer)$|^sku$",
        ),
        "currency": (r"^(?:currency|wahrung)(?: code)?$",),
    },
    "engagement": {
        "customer_id": CUSTOMER,
        "event_time": (rf"^(?:used|visit|visited|session|login|usage|viewed|started|click|clicked){_WHEN}$", *_EVENT),
        "known_time": LOADED + UPDATED,
        "kind": (
            r"^(?:event|activity|interaction|action|ereignis)(?: ?(?:type|kind|name|art|typ))?$",
            r"^(?:feature|page|screen|module)(?: name)?$",
            r"^(?:type|kind|art|typ|name)$",
        ),
        "quantity": (r"^(?:quantity|count|steps|units|clicks|minutes|seconds|duration|usage count|anzahl)\b.*$",),
    },
    "tickets": {
        "customer_id": CUSTOMER,
        "ticket_id": (rf"^(?:ticket|case|issue|request|incident|complaint|vorgang|anfrage)(?:{_ID}|nummer)?$",),
        "reopened_time": (rf"^(?:reopened|wieder (?:geoffnet|eroffnet)){_WHEN}$",),
        "opened_time": (
            rf"^(?:opened|submitted|reported|raised|received|eroffnet|geoffnet|erstellt|eingang){_WHEN}$",
            *_EVENT,
        ),
        "resolved_time": (rf"^(?:resolved|closed|solved|completed|gelost|geschlossen|erledigt){_WHEN}$",),
        "rated_time": (rf"^(?:rated|rating|surveyed|bewertet){_WHEN}$",),
        "known_time": LOADED,
        "severity": SEVERITY,
        "topic": (r"^(?:topic|subject|category|reason|type|thema|kategorie|betreff|grund|issue type)$",),
        "satisfaction": (r"^(?:satisfaction|csat|zufriedenheit|rating|bewertung)\b",),
    },
    "subscriptions": {
        "customer_id": CUSTOMER,
        "subscription_id": (
            rf"^(?:subscription|contract|plan|abo|vertrag|vertrags|license)(?:{_ID}|nummer)$",
            r"^contract$|^vertrag$",
        ),
        "start_time": (rf"^(?:start|started|begin|begins|valid from|beginn|from)\b{_WHEN}$",),
        "end_time": (rf"^(?:end|ended|ends|cancelled|canceled|churned|valid to|ende|until|to)\b{_WHEN}$",),
        "term_end": (
            r"^(?:term|contract|renewal|laufzeit|vertrags)\b.*(?:end|ends|ende|renewal|date|on|at|bis)\b.*$",
            r"^renew\w*\b.*$",
        ),
        "event_time": (rf"^(?:change|changed|valid|geandert){_WHEN}$", *_EVENT),
        "known_time": LOADED + UPDATED,
        "kind": (
            r"^(?:change|event|action|movement|anderung|ereignis)(?: ?(?:type|kind|name|art|typ))?$",
            r"^(?:type|kind|art|typ|status)$",
        ),
        "mrr": (
            r"^mrr\b.*$",
            r"^(?:monthly|monatlich\w*) ?(?:revenue|fee|price|amount|charge|umsatz|preis|betrag)$",
            r"^monatsumsatz$|^(?:price|fee|amount|revenue) per month$",
        ),
        "plan": (r"^(?:plan|tier|product|package|tarif|paket)(?: (?:name|tier|code|id))?$",),
    },
    "surveys": {
        "customer_id": CUSTOMER,
        "event_time": (rf"^(?:answered|responded|response|submitted|survey|surveyed|beantwortet){_WHEN}$", *_EVENT),
        "known_time": LOADED + UPDATED,
        "score": (r"^nps\b.*$", r"^(?:score|rating|likelihood to recommend|recommend|answer|wert|punkte|bewertung)$"),
    },
    "contacts": {
        "customer_id": CUSTOMER,
        "event_time": (
            rf"^(?:sent|contacted|contact|delivered|called|campaign|send|versendet|versand){_WHEN}$",
            *_EVENT,
        ),
        "responded_time": (rf"^(?:reply|replied|responded|response|answered|answer|converted|antwort){_WHEN}$",),
        "known_time": LOADED + UPDATED,
        "channel": (r"^(?:channel|medium|kanal|via|contact type)$",),
        "action": (r"^(?:action|measure|campaign|treatment|massnahme|kampagne|template)(?: (?:name|type))?$",),
        "offer": (
            r"^(?:offer|with (?:offer|voucher|discount|coupon)|has (?:offer|voucher))$",
            r"^(?:voucher|coupon|gutschein|angebot)$",
        ),
    },
    "customers": {
        "customer_id": (*CUSTOMER, r"^id$"),
        "signup_time": (
            rf"^(?:signup|sign up|signed up|registered|registration|joined|join|created|since|member since|"
            rf"customer since|registriert|angemeldet|kunde seit){_WHEN}$",
        ),
        "consent_time": (rf"^(?:consent|consented|opt in|einwilligung){_WHEN}$",),
        "consent": (
            r"^(?:marketing |email |e mail |newsletter )?"
            r"(?:consent|ok|opt in|opt out|permission|allowed|einwilligung)$",
            r"^(?:newsletter|gdpr consent|accepts marketing|unsubscribed|suppressed|dnc|werbesperre|gesperrt)$",
            r"^(?:is |has )?(?:do not|no|never|keine) (?:contact|call|mail|e mail|email|disturb|marketing|werbung)s?$",
            r"^(?:is |has )?(?:(?:marketing|email|e mail|newsletter|mail|sms) )?"
            r"(?:opted (?:out|in)|unsubscribed?|suppress(?:ed|ion)|werbewiderspruch|widerspruch|blocked|stop)$",
        ),
        "known_time": (r"^(?:valid|known|effective) (?:from|since)$", *LOADED),
    },
}
FILES: dict[str, str] = {
    "orders": r"order|transaction|invoice|sale|purchase|bestell|umsatz|rechnung|basket",
    "engagement": r"event|usage|engagement|visit|session|click|activity|activities|web|nutzung",
    "tickets": r"ticket|support|case|complaint|helpdesk|beschwerde",
    "subscriptions": r"subscription|contract|billing|abo|vertrag|vertrage",
    "surveys": r"survey|nps|feedback|umfrage|rating",
    "contacts": r"contact|campaign|mailing|outreach|kontakt|kampagne",
    "customers": r"customer|account|client|user|member|kunde|stammdaten",
}
ROW_ID = re.compile(rf"(?:{_ID}$|^id$|^uuid$)")

VALUES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("subscriptions", "kind"): (
        (r"fail|dunning|past due|unpaid|mahn|chargeback", "payment_failed"),
        (r"^(?:end|ended|ends|cancel\w*|churn\w*|expire\w*|terminat\w*|ende|beendet|kundig\w*|gekundigt)$", "ended"),
        (r"renew|verlanger|extend", "renewed"),
        (r"price|preis", "price_changed"),
        (r"plan|seat|upgrade|downgrade|tarif|expansion|contraction|change", "plan_changed"),
        (r"^(?:start|started|new|create\w*|signup|activat\w*|reactivat\w*|begin|beginn|neu)$", "started"),
    ),
    ("engagement", "kind"): (
        (r"mail.*open|open.*mail|newsletter.*open", "email_open"),
        (r"mail.*click|click.*mail|newsletter.*click", "email_click"),
        (r"mail.*(?:sent|send|deliver)|(?:sent|send|deliver).*mail", "email_sent"),
    ),
    ("tickets", "severity"): (
        (r"^(?:low|minor|niedrig|gering|p4)$", "low"),
        (r"^(?:normal|medium|moderate|mittel|p3)$", "normal"),
        (r"^(?:high|major|hoch|p2)$", "high"),
        (r"^(?:urgent|critical|blocker|kritisch|dringend|p1)$", "urgent"),
    ),
}
"""How the values of some columns translate to the words that features and playbooks use."""


def plain(name: str) -> str:
    """The name as plain lower-case words: ``wieder geöffnet`` is 'wieder geoffnet', ``UnitPrice`` 'unit price'."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", split) if not unicodedata.combining(sign))
    return " ".join(re.split(r"[^a-z0-9]+", bare.replace("ß", "ss").lower())).strip()


def place(words: str, patterns: tuple[str, ...]) -> int | None:
    """Which of the patterns the words match first, 0 for the best; None for none."""
    return next((i for i, pattern in enumerate(patterns) if re.search(pattern, words)), None)
