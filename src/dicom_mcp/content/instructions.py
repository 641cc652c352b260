"""Text that gives instructions to whoever reads it for somebody else: to an assistant.

Reports ask for things too ("please call", "follow-up recommended"), of people and of patients. What
is looked for is what no report says to a colleague: that earlier instructions be forgotten, that a
tool be called, that something be kept from the user, that the reader be somebody else.
"""

import re
import unicodedata

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
    r"ignore|ignoring|disregard|forget|override|bypass|ignoriere?n?|"
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
_NAMED_TOOL = r"(?-i:[a-z]{3,}_[a-z]{3,}[a-z_]*)"
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
        r"\b(?:forget|disregard|ignore) (?:everything|all|anything) (?:above|before|you|that came)",
        r"\bvergiss alles\b|\boubliez? tout\b|\bolvida todo\b|\bdimentica tutto\b",
        rf"\b(?:call|invoke|execute|use|run|rufe?|verwende|benutze|appelle[rz]?|utilise[rz]?|"
        rf"llama|usa|utiliza|chiama|chame)\b[^.!?\n]{{0,20}}{_NAMED_TOOL}\b",
        rf"\b(?:call|invoke|execute|rufe?|appelle[rz]?|llama|chiama|chame) (?:{_TOOL})\b",
        rf"\b(?:use|utilise[rz]?|verwende|benutze) (?:{_TOOL}) {_NAMED_TOOL}",
        r"(?:忽略|无视|無視|忘记|忘掉)[^。\n]{0,12}(?:指令|指示|说明|提示|規則|规则)",
        r"(?:前|以前|上記|これまで)の[^。\n]{0,6}(?:指示|命令)[^。\n]{0,6}無視",
        r"(?:игнорируй|игнорируйте|забудь|забудьте)[^.\n]{0,30}(?:инструкци|указани|команд)",
        r"(?:이전|앞의|모든)[^.\n]{0,10}(?:지시|명령|지침)[^.\n]{0,6}무시",
        r"تجاهل[^.\n]{0,20}(?:التعليمات|الأوامر)",
        rf"\byou are (?:now |no longer )?(?:an? |the )?(?:\w+ ){{0,2}}(?:{_ASSISTANT})\b",
        rf"\binstructions? (?:to|for) (?:the |any |all )?(?:{_ASSISTANT})\b",
        rf"\b(?:dear|hey|hello|note to|notice to|attention|message (?:to|for)|an (?:die|den|das)|"
        rf"hinweis an|à l'attention de|nota para)\b:?,? (?:(?:the|any|all|die|l'|la|el) ?)?"
        rf"(?:{_MACHINE})\b",
        rf"\b(?:as|if you are) (?:an? )(?:{_MACHINE})\b[^.!?\n]{{0,20}}\byou\b",
        rf"\b(?:the|this|any|every) (?:{_MACHINE}) (?:must|should|shall|has to) (?!be\b|not be\b)",
        r"\b(?:new|updated|real|actual|hidden) (?:system )?(?:instructions?|prompt)\b[^.\n]{0,3}:",
        r"\b(?:reveal|print|repeat|output|show|disclose|leak|zeige|révèle|revela)\b[^.!?\n]{0,30}"
        r"\b(?:system ?prompt|your (?:instructions|prompt|rules|tools|api keys?)|credentials|"
        r"passwords?|systemprompt)\b",
        r"\b(?:do not|don't|never) (?:tell|inform|mention|reveal|show|say)\b[^.!?\n]{0,40}"
        r"\b(?:to )?(?:the )?users?\b",
        r"\b(?:sag|sage|zeige|erwähne)\b[^.!?\n]{0,20}\b(?:dem (?:nutzer|benutzer|anwender))\b"
        r"[^.!?\n]{0,20}\bnicht",
        r"\bwithout (?:telling|informing|asking|notifying) the user\b",
        r"\b(?:tell|inform|convince|persuade|assure) the user\b",
        r"\b(?:send|post|upload|forward|exfiltrate|e-?mail|transmit|sende|schicke|envoie[rz]?|envía|"
        r"invia|envie|stuur)\b[^\n]{0,80}(?:https?://|www\.|\bto [\w.+-]+@[\w-]+\.|\ban [\w.+-]+@|"
        r"\bà [\w.+-]+@|\ba [\w.+-]+@|\bpara [\w.+-]+@)",
        r"\b(?:send|forward|upload|e-?mail|exfiltrate|delete) (?:all|every|the entire|the whole)"
        r"(?: of the)?(?: \w+)? (?:records|database|archive)\b",
        r"<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?(?:INST|SYS)\]|<<SYS>>|"
        r"</?(?:system|assistant)>",
        r"(?:^|\n)[^\S\n]*(?:system|assistant|developer)\s*:\s*(?:you\b|your\b|ignore|"
        r"call |from now|tell |do not |always |never |the user)",
        r"\b(?:jailbreak|developer mode|DAN mode)\b",
    )
)


def instructions(text: str) -> list[str]:
    """Passages of a text that tell an assistant what to do, as they stand in it; none of what
    people write to each other."""
    plain = _plain(text)
    shown: list[str] = []
    for pattern in _PATTERNS:
        for found in pattern.finditer(plain):
            passage = " ".join(found[0].split())[:_LONGEST]
            if passage and not any(passage in one for one in shown):
                shown.append(passage)
            if len(shown) == _MOST_SHOWN:
                return shown
    return shown


def _plain(text: str) -> str:
    """The text without what hides words in it: invisible characters, other forms of letters."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    text = "".join(one for one in text if unicodedata.category(one) != "Cf")
    # A line that was broken in the middle of a sentence goes on.
    return re.sub(r"(?<=[^\s.:!?])[ \t]*\n[ \t]*(?=[^\W\d_])", " ", text)
