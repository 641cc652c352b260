"""Text that gives instructions to whoever reads it for somebody else: to an assistant.

Reports and headers ask for things too ("please call", "ignore motion artefact"), of people and of
patients. What is looked for is what nobody says to a colleague: that earlier instructions be
forgotten, that a tool be called, that something be kept from the user, that the reader be somebody
else or answer in certain words.
"""

import re
import unicodedata
from itertools import product

# Passages that are shown of one text, and characters of each.
_MOST_SHOWN = 3
_LONGEST = 120

_EARLIER = (
    r"previous|prior|above|earlier|preceding|foregoing|all|any|your|existing|former|"
    r"vorherigen|vorigen|bisherigen|obigen|früheren|vorangegangenen|vorstehenden|deine|alle|"
    r"précédentes|antérieures|anteriores|previas|précédents|precedenti|eerdere|vorige|bovenstaande"
)
_ORDERS = (
    r"instructions?|prompts?|directives?|guidelines|commands|rules|system messages?|"
    r"anweisung(?:en)?|instruktion(?:en)?|anleitung(?:en)?|vorgaben|befehle|regeln|consignes|"
    r"instrucciones|instruções|istruzioni|instructies|opdrachten|órdenes|ordens"
)
_FORGET = (
    r"ignore|ignoring|disregard|forget|override|bypass(?= (?:all|any|your|the|previous|prior))|"
    r"ignoriere?n?|"
    r"vergiss|missachte|vergessen sie|beachte nicht|übergehe|ignorez|ignorer|oubliez|oublie|"
    r"ignorar?|ignora|ignoren|olvida|olvide|desconsidere|esqueça|dimentica|negeer|vergeet"
)
_BETWEEN = (
    rf"{_EARLIER}|of|the|these|those|its?|my|given|system|safety|user|and|or|der|die|das|und|"
    r"les|las|los|le|as|os|de|del|van|tes|tus|sus|seus"
)
# Not names that people have, nor GPT, which is measured in blood.
_MACHINE = (
    r"(?:ai|a\.i\.|ki|ia)(?: (?:assistant|agent|model|system|reader))?|language models?|llms?|"
    r"chatbots?|chatgpt|copilot|ki-assistent(?:en)?|sprachmodell|modèle de langage|"
    r"modelo de lenguaje|asistente de ia"
)
_ASSISTANT = rf"{_MACHINE}|assistants?|assistent(?:en|in)?|asistente|assistente"
# As tools are named; protocols have underscores in their names too ("head_neck").
_NAMED_TOOL = (
    r"(?:query|read|view|count|find|get|list|study|patient|sample|compare|configure|verify|delete|"
    r"search|fetch|execute|write|create|update|store|export|upload|download|send)_[a-z][a-z_]{2,}"
)
# What somebody who wants data asks for, and nobody who wants a report.
_LOOT = (
    r"this|it|them|all|every\w*|entire|whole|contents?|lists?|records?|data(?:base)?|patients?|names|"
    r"archive|alles?|daten|liste|toutes?|tous|données|todos?|todas?|datos|tutt[oie]|dati|dados"
)
_AT_START = r"(?:^|[.!?:;\n])[ \t]*(?:please |just |only |you must )?"
# To forget, and what: of languages in which few words are enough to be sure.
_ELSEWHERE = (
    ("zignoruj|zapomnij|pomiń", "instrukcj|poleceni|wytyczn|zasad"),
    ("ignorera|glöm", "instruktion|anvisning|regler"),
    ("ignorér|ignorer|glem", "instruktion|instruks|anvisning|regler"),
    ("ignoruj|zapomeň|zabudni", "pokyn|instrukc|inštrukci|příkaz"),
    ("игнорируй|игнорируйте|забудь|забудьте", "инструкци|указани|команд"),
    ("ігноруй|ігноруйте|забудь|забудьте", "інструкц|вказівк|команд"),
    ("αγνόησε|αγνοήστε|ξέχασε|ξεχάστε", "οδηγίες|εντολές"),
    ("התעלם|התעלמו|תתעלם|שכח", "הוראות|הנחיות"),
    ("تجاهل", "التعليمات|الأوامر"),
    ("bỏ qua|quên", "(?:tất cả|mọi) (?:các )?(?:hướng dẫn|chỉ thị|chỉ dẫn|lệnh)"),
    ("hagyd figyelmen kívül|felejtsd el", "utasítás|szabály"),
    ("ohita|unohda", "ohjeet|käskyt|säännöt"),
    ("ignoră|uită", "instrucțiuni"),
)
# The same where the verb comes last.
_VERB_LAST = (
    ("talimat|komut|yönerge", "yok say|görmezden gel|unut|dikkate alma"),
    ("निर्देश|आदेश", "अनदेखा|नज़रअंदाज़|भूल"),
    ("지시|명령|지침", "무시|잊"),
)
_TOOL = (
    r"(?:the |this |a |any )?(?:mcp )?(?:tools?|functions?|api)|das (?:tool|werkzeug)|l'outil|"
    r"la herramienta|lo strumento|a ferramenta"
)

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{_FORGET})\b[^.!?\n]{{0,30}}\b(?:{_EARLIER})\b(?: (?:{_BETWEEN}))* (?:{_ORDERS})\b",
        rf"\b(?:{_FORGET})\b[^.!?\n]{{0,60}}\b(?:{_ORDERS})\b[^.!?\n]{{0,30}}"
        rf"\b(?:{_EARLIER}|so far|until now)\b",
        *(rf"\b(?:{verb})\b[^.!?\n]{{0,40}}(?:{what})" for verb, what in _ELSEWHERE),
        *(rf"(?:{what})[^.!?\n]{{0,15}}(?:{verb})" for what, verb in _VERB_LAST),
        r"(?:忽略|无视|無視|忘记|忘掉)[^。\n]{0,12}(?:指令|指示|说明|提示|規則|规则)",
        r"(?:前|以前|上記|これまで)の[^。\n]{0,6}(?:指示|命令)[^。\n]{0,8}無視",
        r"\b(?:forget|disregard|ignore) (?:everything|all|anything) (?:above|before|you|that came)",
        r"\bforget what you (?:were|have been|are) told\b|\bstop what you are doing\b",
        r"\b(?:ignore|disregard|forget) the above[,;]? (?:and )?instead\b",
        r"\bdo not (?:follow|obey) (?:your|any previous|the system) (?:\w+ )?"
        r"(?:instructions|rules|prompt|guidelines)\b",
        r"\bvergiss alles\b|\boubliez? tout\b|\bolvida todo\b|\bdimentica tutto\b",
        rf"\b(?:call|invoke|execute|use|run|rufe?|verwende|benutze|appelle[rz]?|utilise[rz]?|"
        rf"llama|usa|utiliza|chiama|chame)\b[^.!?\n]{{0,20}}\b{_NAMED_TOOL}\b",
        rf"\b(?:call|invoke|execute|rufe?|appelle[rz]?|llama|chiama|chame) (?:{_TOOL})\b",
        rf"\b(?:use|utilise[rz]?|verwende|benutze) (?:{_TOOL}) [a-z]+_[a-z_]+",
        r"\b(?:execute|run) (?:the following|this|these) (?:commands?|code|script|sql|tools?)\b",
        r"\bdrop table\b|\brm -rf\b",
        rf"\byou are (?:now |no longer )?(?:an? |the )?(?:\w+ ){{0,2}}(?:{_ASSISTANT})\b",
        r"\byou (?:are|will|must|shall) now (?:answer|act|obey|behave|ignore|reply|respond|an? un)",
        r"\bfrom now on,? (?:you are|answer|reply|respond|act|behave|always (?:say|answer|report))"
        r"\b",
        r"\bpretend (?:to be|that you|you|that there)\b",
        rf"\bact as (?:an? |the )?(?:\w+ ){{0,2}}(?:{_ASSISTANT}|administrator|root|developer)\b",
        r"\byour (?:new|real|only|actual) (?:task|role|job|goal|mission|objective)\b",
        r"\bdu bist (?:ab )?(?:jetzt|nun|sofort)\b|\bab (?:jetzt|sofort) bist du\b|"
        r"\b(?:tu es|vous êtes) (?:maintenant|désormais) (?:une?|le|la)\b|"
        r"\b(?:ahora eres|eres ahora|ora sei|agora você é|je bent nu)\b",
        rf"\binstructions? (?:to|for) (?:the |any |all )?(?:{_ASSISTANT})\b",
        rf"\b(?:dear|hey|hello|note to|notice to|attention|message (?:to|for)|an (?:die|den|das)|"
        rf"hinweis an|à l'attention de|nota para)\b:?,? (?:(?:the|any|all|die|l'|la|el) ?)?"
        rf"(?:{_MACHINE})\b",
        rf"\b(?:as|if you are) (?:an? )(?:{_MACHINE})\b[^.!?\n]{{0,20}}\byou\b|"
        rf"\bif you are (?:an? )(?:{_MACHINE})\b",
        rf"\b(?:the|this|any|every) (?:{_MACHINE}) (?:must|should|shall|has to) (?!be\b|not be\b)",
        r"\bthe assistant (?:must|should|shall) (?:not |always |never )?"
        r"(?:report|say|tell|reply|answer|mention|ignore|list|output)\b",
        rf"(?:^|[.!?\n])[ \t]*(?:{_ASSISTANT}|system)[ \t]*[:,][ \t]*(?:please )?"
        r"(?:mark|ignore|say|reply|treat|approve|tell|report|summari[sz]e|do not|always|never) "
        r"(?:this|that|the|all|it|every|any|with|no)\b",
        rf"{_AT_START}(?:reply|respond|answer) (?:only|exclusively) (?:with|in|by)\b",
        rf"{_AT_START}(?:reply|respond|answer) (?:with|by) (?:the (?:word|phrase)|saying|[\"'“‘«])",
        rf"{_AT_START}(?:say|claim|answer) that (?:there|the|this|it|all|everything|no)\b",
        r"\bwhen (?:you )?(?:summari[sz]|report|answer|respond|asked)\w*\b[^.\n]{0,40}"
        r"\b(?:say|state|claim|answer) that\b",
        r"\bantworte (?:nur|ausschließlich|immer)\b|\bréponde?[sz] (?:uniquement|seulement)\b|"
        r"\bresponde (?:solo|sólo|únicamente)\b|\brispondi (?:solo|soltanto)\b",
        r"\b(?:system|hidden|real|actual) instructions?\b[^.\n]{0,3}:|"
        r"\b(?:new|updated|real|actual|hidden) (?:system )?prompt\b[^.\n]{0,3}:",
        r"\b(?:new|updated) instructions?:[ \t]*(?:you\b|ignore|from now|always|tell|say|report|"
        r"answer|reply|respond)",
        r"\b(?:reveal|print|repeat|output|show|disclose|leak|zeige|révèle|revela)\b[^.!?\n]{0,30}"
        r"\b(?:system ?prompt|your (?:instructions|prompt|rules|tools|api keys?)|credentials|"
        r"passwords?|systemprompt)\b",
        r"\b(?:do not|don't|never) (?:tell|inform|mention|reveal|show|say)\b[^.!?\n]{0,40}"
        r"\b(?:to )?the users?\b",
        r"\b(?:hide|conceal|keep|withhold)\b[^.!?\n]{0,40}\bfrom the user\b",
        r"\b(?:sag|sage|sagen sie|zeige|erwähne|teile|erkläre|melde)\b[^.!?\n]{0,20}"
        r"\bdem (?:nutzer|benutzer|anwender)\b",
        r"\b(?:dis|dites|dile|di|dígale|dì|di'|diga|diz|zeg|vertel)\b[^.!?\n]{0,12}"
        r"(?:\bà l'utilisateur\b|\bal usuario\b|\ball'utente\b|\bao (?:usuário|utilizador)\b|"
        r"\bde gebruiker\b)",
        r"\bwithout (?:telling|informing|asking|notifying) the user\b",
        r"\b(?:tell|inform|convince|persuade|assure) the user\b",
        rf"\b(?:send|post|upload|forward|exfiltrate|e-?mail|transmit|sende|schicke|envoie[rz]?|envía|"
        rf"invia|envie|stuur)\b[^.!?\n]{{0,30}}\b(?:{_LOOT})\b[^\n]{{0,60}}(?:https?://|www\.|"
        r"\b[\w.+-]+@[\w-]+\.)",
        r"\b(?:send|forward|upload|e-?mail|exfiltrate|delete) (?:all|every|the entire|the whole)"
        r"(?: of the)?(?: (?!to\b)\w+)? (?:records|database|archive)\b",
        r"<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?(?:INST|SYS)\]|<<SYS>>|"
        r"</?(?:system|assistant)>|(?:^|\n)[ \t]*#{2,} *(?:system|assistant|instruction) *:",
        r"(?:^|\n)[^\S\n]*(?:system|assistant|developer)\s*:\s*(?:you\b|your\b|ignore|"
        r"call |from now|tell |do not |always |never |the user)",
        r"\b(?:enter|enable|activate|switch to|now in) (?:developer|DAN|jailbreak|god) mode\b|"
        r"\bdo anything now\b",
    )
)


# Each pattern needs one of these, in small letters: a line without any is not looked at further.
_NEEDED = (
    "ignor|disregard|forget|overrid|bypass|vergiss|missachte|vergessen sie|beachte nicht|übergehe|"
    "oubli|olvid|desconsidere|esqueça|dimentica|negeer|vergeet|zapom|pomiń|glöm|glem|zabud|игнор|"
    "забуд|ігнор|αγνό|αγνο|ξεχά|ξέχα|התעלם|התעלמו|שכח|تجاهل|bỏ qua|quên|figyelmen|felejtsd|ohita|"
    "unohda|uită|yok say|görmezden|unut|dikkate|अनदेखा|नज़रअंदाज़|भूल|무시|잊|忽略|无视|無視|忘记|忘掉|"
    "what you are doing|do not obey|do not follow|_|tool|function|api|werkzeug|outil|herramienta|"
    "strumento|ferramenta|command|script|code|sql|drop table|rm -rf|you are|now|pretend|act as|"
    "your |du bist|bist du|tu es|vous êtes|eres|ora sei|instruction|dear|hey|hello|note to|"
    "notice to|attention|message|an die|an den|an das|hinweis an|nota para|as a|must|should|shall|"
    "has to|assistan|assisten|asisten|system|reply|respon|answer|say that|claim that|state that|"
    "antworte|répond|rispondi|prompt|credential|password|user|nutzer|anwender|utilisateur|usuario|"
    "utente|usuário|utilizador|gebruiker|http|www.|@|records|database|archive|<|[inst|[/inst|[sys|"
    "[/sys|developer|mode|llm|chatbot|chatgpt|copilot|language model"
)
_STEMS = tuple(_NEEDED.split("|"))


def instructions(text: str) -> list[str]:
    """Passages of a text that tell an assistant what to do, as they stand in it; none of what
    people write to each other."""
    shown: list[str] = []
    for line in _plain(text).split("\n"):
        small = line.lower()
        if not any(stem in small for stem in _STEMS):
            continue
        readings = (line, line.replace("_", " ")) if "_" in line else (line,)
        for pattern, reading in product(_PATTERNS, readings):
            for found in pattern.finditer(reading):
                passage = " ".join(found[0].split())[:_LONGEST]
                if passage and not any(passage in earlier for earlier in shown):
                    shown.append(passage)
                if len(shown) == _MOST_SHOWN:
                    return shown
    return shown


_APART = str.maketrans("’^=", "'  ")


def _plain(text: str) -> str:
    """The text without what hides words in it: invisible characters, other forms of letters, what
    parts the components of names."""
    text = unicodedata.normalize("NFKC", text).translate(_APART)
    if not text.isascii():
        text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    # A line that was broken in the middle of a sentence goes on.
    return re.sub(r"(?<=[^\s.:!?])[ \t]*\n[ \t]*(?=[^\W\d_])", " ", text)
