"""Topics with who wants them since when, the first open, click and failure of a message, and the country of a phone."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The country by the first digits of a number in E.164; the longest that fit count. Taken from the numbering plans of
# libphonenumber. Places that share a code without digits of their own count as the larger one.
PREFIXES = """
AC 247; AD 376; AE 971; AF 93; AG 1268; AI 1264; AL 355; AM 374; AO 244; AR 54; AS 1684; AT 43; AU 61; AW 297; AX
35818; AZ 994; BA 387; BB 1246; BD 880; BE 32; BF 226; BG 359; BH 973; BI 257; BJ 229; BM 1441; BN 673; BO 591; BQ
5993 5994 5997; BR 55; BS 1242; BT 975; BW 267; BY 375; BZ 501; CA 1204 1226 1236 1249 1250 1257 1263 1273 1289 1306
1343 1354 1365 1367 1368 1382 1403 1416 1418 1428 1431 1437 1438 1450 1468 1474 1506 1514 1519 1548 1579 1581 1584
1587 1600 1604 1613 1622 1633 1639 1647 1672 1683 1705 1709 1742 1753 1778 1780 1782 1807 1819 1825 1867 1873 1879
1902 1905 1942; CD 243; CF 236; CG 242; CH 41; CI 225; CK 682; CL 56; CM 237; CN 86; CO 57; CR 506; CU 53; CV 238;
CW 599; CY 357; CZ 420; DE 49; DJ 253; DK 45; DM 1767; DO 1809 1829 1849; DZ 213; EC 593; EE 372; EG 20; ER 291; ES
34; ET 251; FI 358; FJ 679; FK 500; FM 691; FO 298; FR 33; GA 241; GB 44; GD 1473; GE 995; GF 594; GG 441481 447781
447839 4479111 4479117; GH 233; GI 350; GL 299; GM 220; GN 224; GP 590; GQ 240; GR 30; GT 502; GU 1671; GW 245; GY
592; HK 852; HN 504; HR 385; HT 509; HU 36; ID 62; IE 353; IL 972; IM 441624 447524 447624; IN 91; IO 246; IQ 964;
IR 98; IS 354; IT 39; JE 441534 447509 447797 447829 447937; JM 1658 1876; JO 962; JP 81; KE 254; KG 996; KH 855; KI
686; KM 269; KN 1869; KP 850; KR 82; KW 965; KY 1345; KZ 77; LA 856; LB 961; LC 1758; LI 423; LK 94; LR 231; LS 266;
LT 370; LU 352; LV 371; LY 218; MA 212; MC 377; MD 373; ME 382; MG 261; MH 692; MK 389; ML 223; MM 95; MN 976; MO
853; MP 1670; MQ 596; MR 222; MS 1664; MT 356; MU 230; MV 960; MW 265; MX 52; MY 60; MZ 258; NA 264; NC 687; NE 227;
NF 672; NG 234; NI 505; NL 31; NO 47; NP 977; NR 674; NU 683; NZ 64; OM 968; PA 507; PE 51; PF 689; PG 675; PH 63;
PK 92; PL 48; PM 508; PR 1787 1939; PS 970; PT 351; PW 680; PY 595; QA 974; RE 262; RO 40; RS 381; RU 7; RW 250; SA
966; SB 677; SC 248; SD 249; SE 46; SG 65; SH 290; SI 386; SJ 4779; SK 421; SL 232; SM 378; SN 221; SO 252; SR 597;
SS 211; ST 239; SV 503; SX 1721; SY 963; SZ 268; TA 2908; TC 1649; TD 235; TG 228; TH 66; TJ 992; TK 690; TL 670; TM
993; TN 216; TO 676; TR 90; TT 1868; TV 688; TW 886; TZ 255; UA 380; UG 256; US 1; UY 598; UZ 998; VC 1784; VE 58;
VG 1284; VI 1340; VN 84; VU 678; WF 681; WS 685; XK 383; YE 967; ZA 27; ZM 260; ZW 263
"""

PHONE_COUNTRY = """
create function phone_country(phone text) returns text language plpgsql immutable strict parallel safe as $$
declare
    known constant jsonb := '{known}';
    found text;
begin
    for digits in reverse 7..1 loop
        found := known ->> substr(phone, 2, digits);
        exit when found is not null;
    end loop;
    return found;
end
$$
"""

# What was told before there were columns for it: when it was first heard of, else as early as it can have been.
EARLIER = """
update messages m set
    opened_at = case when m.delivery_rank >= 70 then coalesce(heard.opened, m.delivered_at, m.accepted_at) end,
    clicked_at = case when m.delivery = 'clicked' or heard.clicked is not null
                      then coalesce(heard.clicked, m.delivered_at, m.accepted_at) end,
    failed_at = case when m.delivery in ('undelivered', 'failed', 'bounced')
                     then coalesce(heard.failed, m.accepted_at) end
from messages same left join (
    select message_id, min(received_at) filter (where status in ('opened', 'clicked', 'read')) as opened,
           min(received_at) filter (where status = 'clicked') as clicked,
           min(received_at) filter (where status in ('undelivered', 'failed', 'bounced')) as failed
    from inbox where message_id is not null group by message_id
) heard on heard.message_id = same.id
where same.customer_id = m.customer_id and same.id = m.id and m.delivery_rank >= 60
"""


def upgrade() -> None:
    """Create the tables and columns."""
    pairs = (part.split() for part in PREFIXES.replace("\n", " ").split(";"))
    known = {digits: country for country, *prefixes in pairs for digits in prefixes}
    op.execute(PHONE_COUNTRY.replace("{known}", json.dumps(known)))
    op.add_column(
        "customers",
        sa.Column("phone_country", sa.Text(), sa.Computed("phone_country(phone)", persisted=True), nullable=True),
    )
    for column in ("opened_at", "clicked_at", "failed_at"):
        op.add_column("messages", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.execute(EARLIER)
    op.create_table(
        "topics",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_topics")),
    )
    op.create_table(
        "topic_consents",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('subscribed', 'unsubscribed')", name=op.f("ck_topic_consents_state")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_topic_consents_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["topic"], ["topics.name"], name=op.f("fk_topic_consents_topic"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "id", name=op.f("pk_topic_consents")),
    )
    op.create_index(
        "ix_topic_consents_current",
        "topic_consents",
        ["customer_id", "topic"],
        unique=True,
        postgresql_where=sa.text("until_at is null"),
    )
    op.create_index("ix_topic_consents_history", "topic_consents", ["customer_id", "topic", "since_at"])
    op.create_index("ix_topic_consents_topic", "topic_consents", ["topic", "customer_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("topic_consents")
    op.drop_table("topics")
    for column in ("failed_at", "clicked_at", "opened_at"):
        op.drop_column("messages", column)
    op.drop_column("customers", "phone_country")
    op.execute("drop function phone_country(text)")
