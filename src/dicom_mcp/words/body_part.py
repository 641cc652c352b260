"""Which part of the body a description names, in one vocabulary.

BodyPartExamined (0018,0015) is often empty or a scanner's default, and what was examined stands in
free text of any language. Words are found whole, in known phrases, or in compounds made of nothing
but known words: "Thoraxaufnahme" is a chest, "handout" is no hand and "Leberecht" no liver.

The vocabulary is that of PS3.16 Table L-1 with less detail: a skull is HEAD, a lung CHEST, a tibia
LEG. Regions that Table L-1 names together are named one by one: CHESTABDOMEN is CHEST and ABDOMEN.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache


def body_part(*texts: str) -> str:
    """The body parts that the texts name, from head to toe: "CHEST, ABDOMEN"; "" for none.

    The texts describe one study or series: its description, its protocol, its body part. Where
    one says no more than "spine" and another says which, only the latter counts.
    """
    by_text = [_named(text) for text in texts]
    named = {part for parts in by_text for part in parts}
    if "WHOLEBODY" in named:
        return "WHOLEBODY"
    said_better = {
        whole
        for whole in named
        for part in named
        if whole in _within(part)
        and (
            whole in _VAGUE
            or part == "BRAIN"
            or not any(whole in parts and part in parts for parts in by_text)
        )
    }
    return ", ".join(part for part in _WORDS if part in named - said_better)


def related(part: str, other: str) -> bool:
    """Whether an earlier examination of one body part bears on another of the other.

    It does when a part is the same or a part of the other's: BRAIN and HEAD, CHEST and
    "CHEST, ABDOMEN"; what is unknown ("") bears on nothing.
    """
    return any(
        mine == theirs or mine in _within(theirs) or theirs in _within(mine)
        for mine in _parts(part)
        for theirs in _parts(other)
    )


def parts_in(whole: str) -> tuple[list[str], list[str]]:
    """What lies in a body part, itself among them; and what it lies in, by which nobody can tell
    whether it was examined: of HEAD that is BRAIN, and WHOLEBODY."""
    inside = [part for part in _WORDS if part == whole or whole in _within(part)]
    return inside, sorted(_within(whole) - {whole})


def _parts(text: str) -> list[str]:
    return [part for part in text.split(", ") if part]


# The words for each part, from head to toe. English, German, French, Spanish, Italian, Portuguese
# and Dutch words, the usual abbreviations, and the terms of PS3.16 Table L-1. Left out are those
# that mean something else in another language: main (French hand), dos (French back), been (Dutch
# leg), long (Dutch lung), USG (German ankle, ultrasound elsewhere).
_WORDS: dict[str, str] = {
    "WHOLEBODY": """
        wholebody; whole body; total body; full body; entire body; body scan; ganzkörper
        corps entier; cuerpo entero; cuerpo completo; corpo intero; corpo inteiro; total corporal
        total body scan; whole skeleton; ganzskelett; skeletal survey; bone survey; vertex to thigh
        skull base to thigh; skull base to mid thigh; eyes to thighs; skelettszintigraphie
        polytrauma; knochenszintigraphie; gammagrafia osea; scintigraphie osseuse; bone scan
        babygram; pet whole body; mid thigh
        """,
    "HEAD": """
        head; skull; cranium; cranial; scalp; skull base; base of skull; schädel; schädelbasis
        kopf; kranial; kraniell; kranium; cct; neurocranium; neurokranium; hirnschädel; crane
        cranien; cranienne; tête; cráneo; craneal; cabeza; cranio; craneo; testa; capo; cabeça
        crânio; craniano; hoofd; schedel; cranio cerebral
        """,
    "BRAIN": """
        brain; brainstem; brain stem; cerebral; cerebrum; cerebellum; cerebellar; hirn; gehirn
        hirnstamm; kleinhirn; zerebral; cmrt; cerveau; cérébrale; cérébral; cérébrales; encéphale
        encéphalique; tronc cérébral; cerebro; encéfalo; encefalo; encefálico; encefalica; cervello
        cerebrale; cérebro; hersenen; hersen; brein; circle of willis; circleofwillis; willis
        posterior fossa; hippocampus; temporal lobe; trigeminal; hydrocephalus; mprage; tof willis
        """,
    "SELLA": """
        sella; sella turcica; pituitary; hypophyse; hypophysis; hypophysaire; hipófisis; ipofisi
        hipófise; silla turca; selle turcique
        """,
    "FACE": """
        facial; facial bones; midface; gesicht; gesichtsschädel; mittelgesicht; massif facial
        massiccio facciale; macizo facial; maxillofacial; maxillo facial; volto; gelaat; aangezicht
        zygoma; jochbein; jochbogen; cheek; ct face; mr face; mri face; xr face; irm face; face ct
        face bones; face mri; os de la face; de la face; cara ct; rx cara; maxillo face
        """,
    "ORBIT": "orbit; orbita; orbital; augenhöhle; orbite; órbita; orbitae; orbitas; oogkas",
    "EYE": """
        eye; eyes; auge; augen; bulbus; oeil; yeux; ojo; ojos; occhio; occhi; olho; olhos; oog
        ogen; retina; cornea; sclera; macula; optic disc; eyelid; ocular; fundus photography
        fundus photo; augenhintergrund
        """,
    "SINUS": """
        sinus; sinuses; paranasal; paranasal sinus; paranasal sinuses; nnh; nasennebenhöhlen; pns
        nasennebenhöhle; nebenhöhlen; sinus de la face; sinus paranasaux; senos paranasales
        seni paranasali; seni mascellari; seios da face; seios paranasais; neusbijholten
        """,
    "NOSE": "nose; nasal; nasal bone; nasal bones; nase; nasenbein; nez; nariz; naso; neus",
    "EAR": """
        ear; ears; temporal bone; temporal bones; petrous; petrous bone; mastoid; mastoids; iac
        iacs; internal auditory canal; inner ear; felsenbein; felsenbeine; mastoide; ohr; innenohr
        mittelohr; rocher; rochers; oreille; oído; peñasco; orecchio; rocche petrose; ouvido; oor
        khb; cochlea
        """,
    "JAW": """
        jaw; mandible; mandibula; mandibular; maxilla; maxillary; dental; tooth; teeth; kiefer
        zahn; oberkiefer; unterkiefer; zähne; opg; orthopantomogram; panorex; dentition; mandibule
        mâchoire; maxillaire; dents; mandíbula; maxilar; dientes; ortopantomografia; mandibola
        denti; mascellare; arcate dentarie; kaak; gebit; panoramique dentaire; orthopantomogramm
        """,
    "TMJOINT": """
        tmj; tmjoint; temporomandibular; temporomandibular joint; kiefergelenk; kiefergelenke; atm
        """,
    "NECK": """
        neck; neck soft tissue; soft tissue neck; hals; halsweichteile; halsgefässe; nacken; cou
        cuello; collo; pescoço; nek; cervicofacial; pharynx; nasopharynx; oropharynx; hypopharynx
        larynx; kehlkopf; kehle; laryngeal; tongue; zunge; zungengrund; mundboden; mouth
        oral cavity; epiglottis; parapharyngeal; laringe; faringe; halslymphknoten; tsa
        troncs supra aortiques; supraaortic; tronchi sovraaortici; troncos supraaorticos
        """,
    "THYROID": """
        thyroid; parathyroid; schilddrüse; schilddrüsen; nebenschilddrüse; thyroïde; thyroide
        tiroides; tiroide; tireoide; tiróide; schildklier; thyroidea; thyreoidea
        """,
    "PAROTID": """
        parotid; parotis; salivary; salivary glands; submandibular; speicheldrüse; speicheldrüsen
        glandes salivaires; glándulas salivales; ghiandole salivari; parotide; parotida
        """,
    "CAROTID": """
        carotid; carotids; karotis; karotiden; carotis; carotides; carotide; carotidi; carótida
        carótidas; carotideo
        """,
    "CSPINE": """
        cspine; c spine; cervical spine; spine cervical; cervical; hws; halswirbelsäule; halswirbel
        hwk; dens axis; odontoid; rachis cervical; colonne cervicale; columna cervical
        rachide cervicale; colonna cervicale; coluna cervical; cervicale; cervicales; cwk
        neck spine; halswervelkolom; cervicale wervelkolom; cerv spine; cervico; cervical vertebrae
        rx cervical
        """,
    "SPINE": """
        spine; spinal; vertebra; vertebrae; vertebral; spinal cord; cord; myelon; wirbelsäule
        wirbel; ganzwirbelsäule; gws; ws ganz; wirbelkörper; rachis; rachis entier; colonne
        colonne vertebrale; columna; columna vertebral; raquis; rachide; colonna
        colonna vertebrale; coluna; coluna total; wervelkolom; wervel; whole spine; total spine
        full spine; scoliosis; skoliose; scoliose; escoliosis; scoliosi; telerachide; spinalkanal
        myelography; myelographie; rückenmark; rug
        """,
    "TSPINE": """
        tspine; t spine; ts spine; thoracic spine; spine thoracic; dorsal spine; dspine; d spine
        bws; brustwirbelsäule; brustwirbel; bwk; rachis dorsal; rachis thoracique; colonne dorsale
        colonne thoracique; columna dorsal; columna torácica; rachide dorsale; colonna dorsale
        rachide toracico; coluna dorsal; coluna torácica; thoracale wervelkolom; thor spine; twk
        colonna toracica; thorakalwirbelsäule; borstwervelkolom
        """,
    "LSPINE": """
        lspine; l spine; lsspine; ls spine; l s spine; lumbar spine; spine lumbar; lumbar
        lumbosacral; lumbo sacral; lumbosacral spine; lumbo; lumb spine; lws; lendenwirbelsäule
        lendenwirbel; lwk; lumbal; rachis lombaire; colonne lombaire; lombaire; lombosacré; lombo
        columna lumbar; columna lumbosacra; lumbosacra; rachide lombare; colonna lombare; lombare
        lombosacrale; coluna lombar; coluna lombo sacra; lombossacra; lombar; lumbale wervelkolom
        lendenwervelkolom; rachide lombo sacrale
        """,
    "SSPINE": """
        sspine; sacral spine; sacrum; sacral; coccyx; coccygeal; kreuzbein; steissbein; steißbein
        os sacrum; os coccygis; sacro; cóccix; cóccis; sacro coccyx; heiligbeen; stuitje
        sacrocoxis; coxis
        """,
    "SIJOINT": """
        si joint; si joints; sijoint; sijoints; sacroiliac; sacroiliac joint; sacroiliac joints
        isg; iliosakralgelenk; iliosakralgelenke; sacro iliaque; sacro iliaques; sacroiliaque
        sacroilíacas; sacroiliacas; sacroiliache
        """,
    "CHEST": """
        chest; cxr; thorax; thoracic; thorakal; thx; lung; lungs; pulmonary; pulmonary embolism
        pulmo; ctpa; ct pe; cta pe; pe protocol; pe study; mediastinum; mediastinal; bronchus
        bronchi; trachea; airways; pleura; hrct; thymus; diaphragm; hemithorax; lunge; lungen
        pulmonal; brustkorb; lungenembolie; thoracique; thoraciques; thoraco; poumon; poumons
        pulmonaire; poitrine; médiastin; tórax; torax; torácico; torácica; toraco; pulmón; pulmones
        pulmonar; torace; toracico; toracica; polmone; polmoni; polmonare; pulmão; pulmões; longen
        borstkas; thorac; low dose lung; zwerchfell; hemitórax; pecho; rx de pecho
        """,
    "RIB": """
        rib; ribs; rippe; rippen; gril costal; costilla; costillas; parrilla costal; costale
        costela; costelas; arcos costais; ribben; arco costal; costal; côtes flottantes
        """,
    "STERNUM": """
        sternum; sternal; brustbein; esternón; sterno; esterno; borstbeen; sc joint
        sternoclavicular
        """,
    "CLAVICLE": """
        clavicle; clavicula; klavikula; clavikula; schlüsselbein; clavicule; clavícula; clavicola
        sleutelbeen
        """,
    "SCAPULA": """
        scapula; skapula; schulterblatt; omoplate; escápula; omóplato; scapola; schouderblad
        """,
    "HEART": """
        heart; cardiac; cardio; myocardial; myocardium; myokard; cmr; herz; kardial; kardio; coeur
        cœur; cardiaque; myocarde; corazón; cardíaco; cardíaca; cardiaco; cardiaca; cuore
        miocardio; coração; hart; tte; tee; echocardiography; echocardiogram; echokardiographie
        échocardiographie; ecocardiograma; ecocardiogramma; pericardium; mitral; tavi; herzecho
        left atrium; muga; myocardial perfusion; atrial; atrium
        """,
    "CORONARYARTERY": """
        coronary; coronaries; coronary artery; coronary arteries; coronaryartery; ccta
        cta coronary; calcium score; calcium scoring; ca score; cascore; koronar; koronarien
        koronarangiographie; koronararterien; coronaire; coronaires; coronarographie; coronarias
        coronarie; coronarografia; coronarica; coronária; coronárias; coronairen; kransslagaders
        """,
    "AORTA": """
        aorta; aortic; aortenbogen; aorten; aorte; aortique; aórtico; aortico; aaa; evar; tevar
        aortoiliac
        """,
    "BREAST": """
        breast; breasts; mamma; mammae; mammary; mammo; mammography; mammogram; brust; brüste
        brustdrüse; seins; mammaire; mammographie; mama; mamas; mamografía; mammella; mammelle
        mammografia; seno; seni; borst; borsten; tomosynthesis; mlo; tomosynthese; sein gauche
        sein droit; sein g; sein d; du sein; irm sein; irm mammaire
        """,
    "AXILLA": """
        axilla; axillary; axilla nodes; achsel; achselhöhle; aisselle; axila; ascella; oksel
        """,
    "ESOPHAGUS": """
        esophagus; oesophagus; esophageal; esophagram; barium swallow; ösophagus; speiseröhre
        oesophage; œsophage; esófago; esofago; esôfago; slokdarm; breischluck; schluckakt; swallow
        ogd
        """,
    "ABDOMEN": """
        abdomen; abdominal; abd; abdo; abdm; belly; kub; ruq; luq; rlq; llq; peritoneum
        retroperitoneum; retroperitoneal; retroperitoneale; bauch; oberbauch; mittelbauch
        bauchraum; bauchorgane; ventre; abdomino; abdominale; abdominales; abdomen sans préparation
        vientre; addome; addominale; abdome; abdômen; abdômem; buik; bovenbuik; small bowel
        enterography; enteroclysis; duodenum; jejunum; ileum; dünndarm; intestine; intestinal
        grêle; intestino; dunne darm; darm; bowel; mesenteric; mesenterium; appendix; appendicitis
        upper gi; ugi; mdp; abdominopelvis
        """,
    "LIVER": """
        liver; hepatic; leber; foie; hépatique; hígado; hepático; hepática; hepato; fegato; epatico
        epatica; fígado; lever; tips; hcc
        """,
    "GALLBLADDER": """
        gallbladder; gall bladder; biliary; bile duct; bile ducts; mrcp; ercp; cholangio
        cholangiography; cholangiopancreatography; galle; gallenblase; gallenwege; vésicule
        vésicule biliaire; biliaires; vesícula; vesícula biliar; vías biliares; colangio
        colangiografia; colecisti; vie biliari; colangiorm; vias biliares; galblaas; hida
        """,
    "SPLEEN": "spleen; splenic; milz; bazo; milza; baço; milt",
    "PANCREAS": """
        pancreas; pancreatic; pankreas; bauchspeicheldrüse; pancréas; páncreas; pâncreas
        alvleesklier; pancreatico
        """,
    "KIDNEY": """
        kidney; kidneys; renal; niere; nieren; rein; reins; rénal; rénale; riñón; riñones; reni
        renale; renali; rim; rins; nier; urinary tract; urogram; urography; urographie; urografia
        ivu; ivp; uro; urotem; uroscanner; uro ct; urinary; ureter; ureters; harnleiter; ureteren
        uretere; uretères; stone protocol; renal stone; harntrakt; voies urinaires; vías urinarias
        nephro; vie urinarie; nierenarterien; apparato urinario; dmsa; rene dx; rene sx
        """,
    "ADRENAL": """
        adrenal; adrenals; nebenniere; nebennieren; surrénale; surrénales; suprarrenal
        suprarrenales; surrene; surreni; bijnier; adrenale
        """,
    "STOMACH": """
        stomach; gastric; magen; estomac; estómago; stomaco; estômago; maag; gastroscopy
        gastroskopie
        """,
    "COLON": """
        colon; colonic; colonography; colonoscopy; barium enema; kolon; dickdarm; colonoscopie
        koloskopie; côlon; colonografia; clisma opaco; cólon; colonoscopia; enema opaco; dikke darm
        caecum; sigmoid; sigmoidoscopy; sigmoïde
        """,
    "RECTUM": """
        rectum; rectal; rektum; anus; anal; anorectal; perianal; fistula ani; retto; defecography
        defäkographie; endeldarm; perineum
        """,
    "PELVIS": """
        pelvis; pelvic; pelv; plv; pel; pelvien; pelvienne; becken; beckenübersicht; unterbauch
        kleines becken; bassin; pelvic floor; pelviano; pélvico; pélvica; pelvico; pelvica; bacino
        pelvi; pelve; bacia; bekken; groin; inguinal; leiste; leistenregion; onderbuik; scham
        symphysis; symphyse; ilium; iliac; iliac crest; darmbein; pubis; ischium; endovaginal; tvus
        tvs
        """,
    "BLADDER": """
        bladder; urinary bladder; cystography; cystogram; vcug; mcug; cystoscopy; harnblase; blase
        vessie; miktionszystourethrographie; mcu; vejiga; cistografia; vescica; bexiga; blaas
        cystographie; urethra; uréthrocystographie; urethrogram; harnröhre
        """,
    "PROSTATE": "prostate; prostatic; mpmri prostate; prostata; próstata; prostaat; prostatico",
    "UTERUS": """
        uterus; uterine; cervix; cervix uteri; endometrium; obstetric; obstetrics; obstetrical
        ob us; fetal; fetus; foetal; fetale; pregnancy; schwangerschaft; gebärmutter; utérus
        grossesse; foetus; útero; obstetrica; obstétrico; utero; ostetrica; baarmoeder
        hysterosalpingography; hsg; vagina; vulva; hysterosalpingographie; nuchal; placenta
        """,
    "OVARY": """
        ovary; ovaries; ovarian; adnexa; adnexe; ovar; ovarien; ovaire; ovaires; ovario; ovarios
        ovaio; ovaie; ovário
        """,
    "TESTIS": """
        testis; testes; testicle; testicles; testicular; scrotum; scrotal; hoden; skrotum
        testicule; testicules; testículo; testículos; escroto; scroto; testicolo; testicoli
        testikel; penis
        """,
    "HIP": """
        hip; hips; hüfte; hüften; hüftgelenk; hüftkopf; femurkopf; schenkelhals; oberschenkelhals
        femoral neck; neck of femur; femoral head; col du fémur; hanche; hanches; cadera; caderas
        anca; anche; coxofémorale; coxofemoral; coxo; coxa; quadril; heup; heupen; acetabulum
        azetabulum; hkg; cabeza femoral; testa femorale; tête fémorale; caput femoris
        """,
    "SHOULDER": """
        shoulder; shoulders; schulter; schultern; schultergelenk; humeruskopf; épaule; épaules
        hombro; hombros; spalla; spalle; ombro; ombros; schouder; ac joint; ac joints
        acromioclavicular; acg; acj; ac gelenk; rotator cuff; glenoid; acromion; glenohumeral
        rotatorenmanschette; humeral head
        """,
    "ARM": """
        arm; upper extremity; upper extremities; upper limb; ue venous; obere extremität; bras
        membre supérieur; brazo; miembro superior; extremidad superior; braccio; arto superiore
        braço; membro superior; armvenen; arms
        """,
    "HUMERUS": "humerus; humeral; upper arm; oberarm; húmero; omero; úmero; bovenarm; oberarmkopf",
    "ELBOW": """
        elbow; elbows; ellenbogen; ellbogen; ellenbogengelenk; coude; coudes; codo; gomito; gomiti
        cotovelo; elleboog; radial head; radiusköpfchen; olecranon; radiuskopf
        """,
    "FOREARM": """
        forearm; radius; ulna; radiusulna; radius ulna; unterarm; avant bras; antebrazo
        avambraccio; antebraço; onderarm; cúbito
        """,
    "WRIST": """
        wrist; wrists; handgelenk; handgelenke; handwurzel; carpus; carpal; scaphoid; skaphoid
        kahnbein; poignet; poignets; muñeca; muñecas; polso; polsi; punho; pols; scaphoïde
        escafoides; carpe
        """,
    "HAND": """
        hand; hands; metacarpal; metacarpals; mittelhand; mani; mano; manos; mão; mãos; handen
        hände; main droite; main gauche; mains; radio main; rx main; radiographie main; irm main
        main dr; main d; main g; la main; bone age; knochenalter; age osseux; edad osea; eta ossea
        metacarpo; radio de la main
        """,
    "FINGER": """
        finger; fingers; thumb; thumbs; daumen; zeigefinger; mittelfinger; ringfinger; kleinfinger
        doigt; doigts; pouce; dedo; dedos mano; dedo mano; pulgar; dito; pollice; polegar; vinger
        vingers; duim; phalanx; digit
        """,
    "LEG": """
        leg; legs; lower extremity; lower extremities; lower limb; lower limbs; lower leg; calf
        tibia; fibula; tib fib; tibiafibula; tibia fibula; le venous; unterschenkel; bein; beine
        beinvenen; untere extremität; untere extremitäten; ganzbein; beinachse; jambe; jambes
        membre inférieur; membres inférieurs; pierna; piernas; miembro inferior
        miembros inferiores; gamba; gambe; arto inferiore; arti inferiori; perna; pernas
        membro inferior; membros inferiores; onderbeen; long leg; wade; pangonogramme; mollet
        peroné; perone; schienbein; wadenbein; runoff; run off
        """,
    "FEMUR": """
        femur; femoral; thigh; thighs; midthigh; oberschenkel; fémur; cuisse; muslo; femore; coscia
        fêmur; bovenbeen; dij; femurschaft
        """,
    "KNEE": """
        knee; knees; patella; patellar; knie; knies; kniegelenk; kniegelenke; kniescheibe; genou
        genoux; rodilla; rodillas; ginocchio; ginocchia; ginocchi; joelho; joelhos; rotule; rótula
        rotula; meniscus; meniskus; acl
        """,
    "ANKLE": """
        ankle; ankles; sprunggelenk; sprunggelenke; osg; knöchel; cheville; chevilles; tobillo
        tobillos; caviglia; caviglie; tornozelo; tornozelos; enkel; enkels; achilles; achillessehne
        talus; syndesmosis; tibiotarsica; tibio tarsienne; tibiotarsiana; malleolus
        """,
    "FOOT": """
        foot; feet; fuß; fuss; füße; vorfuß; rückfuß; mittelfuß; fußwurzel; forefoot; hindfoot
        metatarsal; metatarsals; metatarsus; tarsus; pied; pieds; avant pied; pie; pies; piede
        piedi; pe direito; pe esquerdo; voet; voeten; lisfranc; vorfuss; mittelfuss; pie derecho
        """,
    "CALCANEUS": """
        calcaneus; calcaneum; calcaneal; heel; heels; ferse; fersenbein; kalkaneus; talon; calcáneo
        calcagno; calcâneo; hiel; calcanéum
        """,
    "TOE": """
        toe; toes; great toe; hallux; zehe; zehen; großzehe; orteil; orteils; gros orteil; alluce
        dedo pie; dedos pie; dedo del pie; dedos del pie; dedo do pe; sesamoid
        """,
    "EXTREMITY": """
        extremity; extremities; extremität; extremitäten; limb; limbs; membre; membres; extremidad
        extremidades; msk
        """,
}

# Terms of Table L-1 and words for several parts at once.
_SEVERAL: dict[str, str] = {
    "ABDOMEN PELVIS": """
        abdomenpelvis; abdpelvis; abdpel; abd pel; abdopelvis; a p ct; ct ap; ct a p
        abdominopelvien; abdominopelvienne; abdominopelvic; abdominopelvico; abdominopélvico
        """,
    "CHEST ABDOMEN": "chestabdomen; chestabd; thorakoabdominal; thoracoabdominal",
    "CHEST ABDOMEN PELVIS": """
        chestabdpelvis; chestabdpelv; cap; ct cap; c a p; c ap; t a p; tabp; chest to pelvis; thab
        thabd; thoracoabdominopelvien; toracoabdominopélvico; t abd; ct tap; tdm tap; scanner tap
        tap iv; tap injecté
        """,
    "NECK CHEST": "neckchest",
    "NECK CHEST ABDOMEN": "neckchestabdomen",
    "NECK CHEST ABDOMEN PELVIS": """
        neckchestabdpelv; neckchestabdpelvis; ncap; hals bis becken; ctap
        """,
    "HEAD NECK": "headneck; head and neck; orl; ent; hno; kno; kopf hals",
    "CSPINE TSPINE": "ctspine; ct spine; cervicothoracic spine; cervicodorsal; cervico dorsal",
    "TSPINE LSPINE": """
        tlspine; tl spine; thoracolumbar; thoracolumbar spine; dorsolumbar; dorso lumbar
        dorsolombaire; dorso lombaire; dorsolombare; thorakolumbal; tlj; dorso lombar
        """,
}

# What is a part of what. The neck's vessels and spine are seen with it, those of the belly aren't
# what an abdomen is looked at for.
_PART_OF: dict[str, str] = {
    "BRAIN": "HEAD",
    "SELLA": "BRAIN",
    "FACE": "HEAD",
    "ORBIT": "HEAD FACE",
    "EYE": "ORBIT",
    "SINUS": "HEAD FACE",
    "NOSE": "FACE",
    "EAR": "HEAD",
    "JAW": "FACE",
    "TMJOINT": "JAW",
    "THYROID": "NECK",
    "PAROTID": "NECK",
    "CAROTID": "NECK",
    "CSPINE": "SPINE NECK",
    "TSPINE": "SPINE",
    "LSPINE": "SPINE",
    "SSPINE": "SPINE PELVIS",
    "SIJOINT": "PELVIS",
    "RIB": "CHEST",
    "STERNUM": "CHEST",
    "CLAVICLE": "SHOULDER CHEST",
    "SCAPULA": "SHOULDER CHEST",
    "HEART": "CHEST",
    "CORONARYARTERY": "HEART",
    "AORTA": "CHEST ABDOMEN",
    "AXILLA": "BREAST",
    "ESOPHAGUS": "CHEST",
    "LIVER": "ABDOMEN",
    "GALLBLADDER": "ABDOMEN LIVER",
    "SPLEEN": "ABDOMEN",
    "PANCREAS": "ABDOMEN",
    "KIDNEY": "ABDOMEN",
    "ADRENAL": "ABDOMEN",
    "STOMACH": "ABDOMEN",
    "COLON": "ABDOMEN PELVIS",
    "RECTUM": "PELVIS",
    "BLADDER": "PELVIS",
    "PROSTATE": "PELVIS",
    "UTERUS": "PELVIS",
    "OVARY": "PELVIS",
    "TESTIS": "PELVIS",
    "HIP": "PELVIS EXTREMITY",
    "SHOULDER": "EXTREMITY",
    "ARM": "EXTREMITY",
    "HUMERUS": "ARM",
    "ELBOW": "ARM",
    "FOREARM": "ARM",
    "WRIST": "ARM",
    "HAND": "ARM",
    "FINGER": "HAND",
    "LEG": "EXTREMITY",
    "FEMUR": "LEG",
    "KNEE": "LEG",
    "ANKLE": "LEG",
    "FOOT": "LEG",
    "CALCANEUS": "FOOT",
    "TOE": "FOOT",
}

# Wholes that say nothing beside a part of theirs.
_VAGUE = frozenset({"SPINE", "EXTREMITY"})

# Body parts only where nothing else is said: "genou face" is a knee from in front.
_ALONE: dict[str, tuple[str, ...]] = {
    "asp": ("ABDOMEN",),
    "back": ("SPINE",),
    "dos": ("SPINE",),
    "face": ("FACE",),
    "main": ("HAND",),
    "sein": ("BREAST",),
    "tap": ("CHEST", "ABDOMEN", "PELVIS"),
}

# What names a position, a coil, a shape or another thing, not what is examined.
_ELSEWHERE = """
    head first; feet first; foot first; head first supine; headfirst; arms up; arms down; arm up
    arm down; arme oben; arme unten; arms raised; hand side; left hand side; hand injection
    hand held; head to foot; head coil; body coil; heart rate; long axis; pie chart
    in sinus rhythm; hand inj; head up; head down; foot pedal; second look; ear plugs; lead arm
    ct head dose; face up; face down; eye level; face to face; at chest level; sinus rhythm; c arm
    carm; o arm; vorhanden; vorhandene; vorhandener; vorhandenes; vorhandensein
"""

# What a German or Dutch compound may have beside the parts it names, and what scanners glue to it.
_FILLERS = """
    gelenk gelenke gelenks gelenken aufnahme aufnahmen übersicht übersichten region bereich ct mrt
    mr mri pet sono sonographie sonografie ultraschall röntgen rx xr dx angio angiographie
    angiografie skelett weichteile weichteil gefäße gefäß gefässe gefäss arterie arterien venen
    vene wand basis kalotte trauma schmerz schmerzen spirale nativ leer links rechts lat bds
    organe tumor karzinom metastasen metastase biopsie punktion szintigraphie szintigrafie szinti
    scan protokoll serie screening aufn funktion schale spitze kamm kontrolle status katheter
    infarkt blutung embolie fraktur zyste abszess joint joints bone bones xray xrays gewricht foto
    echo drainage ober unter mittel ganz std standard routine native s km
"""

# Beginnings of compounds that are no words by themselves.
_STEMS: dict[str, str] = {
    "HIP": "hüft",
    "CHEST": "thorako thorac",
    "FACE": "gesichts",
    "ORBIT": "orbita",
    "SPINE": "wirbelsäulen wirbelkörper",
    "LEG": "bein unterschenkel",
    "CSPINE": "hws",
    "TSPINE": "bws",
    "LSPINE": "lws",
    "SINUS": "nnh",
    "ABDOMEN": "abd",
    "TOE": "zehen",
    "AORTA": "aorten",
    "THYROID": "schilddrüsen",
    "HEAD": "kopf schädel",
    "BRAIN": "hirn",
    "ELBOW": "ellenbogen",
    "PELVIS": "becken",
    "COLON": "kolon",
}

_LONGEST_PHRASE = 5

# Shorter words are parts of too many others: ear, hip, arm.
_SHORTEST_SEGMENT = 4
_WORD = re.compile(r"[^\W\d_]+")


def is_only_parts(text: str) -> bool:
    """Whether a text is words for parts of the body and nothing else."""
    words = _plain(text).split()
    known = all(_named(word) for word in words) or " ".join(words) in _phrases()
    return bool(words) and known and not re.search(r"\d", text)


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    """The parts by each phrase, in small letters without accents; () for what isn't examined."""
    phrases: dict[str, tuple[str, ...]] = {}
    for part, words in _WORDS.items():
        for way in _ways(words):
            phrases.setdefault(way, (part,))
    for parts, words in _SEVERAL.items():
        phrases |= dict.fromkeys(_ways(words), tuple(parts.split()))
    phrases |= dict.fromkeys(_ways(_ELSEWHERE), ())
    return phrases


@cache
def _segments() -> dict[str, tuple[str, ...]]:
    """What a compound is made of: words for parts, and fillers, which name none."""
    segments = {
        word: parts
        for word, parts in _phrases().items()
        if " " not in word and parts and len(word) >= _SHORTEST_SEGMENT
    }
    for part, stems in _STEMS.items():
        segments |= dict.fromkeys(_ways(stems.replace(" ", ";")), (part,))
    return segments | dict.fromkeys(_ways(";".join(_FILLERS.split())), ())


def _ways(words: str) -> Iterable[str]:
    """Each phrase as it may be typed: umlauts without their dots, and transcribed."""
    for phrase in re.split(r"[;\n]", words):
        transcribed = phrase.lower().translate(_TRANSCRIBED)
        for way in (_plain(phrase), _plain(transcribed)):
            if way:
                yield way


_TRANSCRIBED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "œ": "oe"})


def _plain(text: str) -> str:
    """The text's words in small letters without accents."""
    text = unicodedata.normalize("NFD", text.casefold().replace("œ", "oe"))
    bare = "".join(c for c in text if not "\u0300" <= c <= "\u036f")
    return " ".join(_WORD.findall(bare))


def _named(text: str) -> frozenset[str]:
    """The parts a text names: at each word the longest phrase that is known."""
    terms = _parts(text)
    if terms and all(term in _WORDS for term in terms):
        return frozenset(terms)
    words = _plain(text).split()
    if len(words) == 1 and words[0] in _ALONE:
        return frozenset(_ALONE[words[0]])
    phrases = _phrases()
    named: set[str] = set()
    at = 0
    while at < len(words):
        for count in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            found = phrases.get(" ".join(words[at : at + count]))
            if found is not None:
                named.update(found)
                at += count
                break
        else:
            named.update(_compound(words[at]))
            at += 1
    return frozenset(named)


def _compound(word: str) -> frozenset[str]:
    """The parts a compound names, () when it isn't made of known words from end to end."""
    segments = _segments()
    # By the position reached: the fewest segments that lead there, and the parts they name.
    best: dict[int, tuple[int, frozenset[str]]] = {0: (0, frozenset())}
    if len(word) > 40:  # the longest words of any description are half as long
        return frozenset()
    for start in range(len(word)):
        if start not in best:
            continue
        count, parts = best[start]
        for end in range(start + 1, len(word) + 1):
            found = segments.get(word[start:end])
            if word[start:end] == "s" and not parts:  # links to what stands before it
                continue
            if found is not None and (end not in best or best[end][0] > count + 1):
                best[end] = count + 1, parts | frozenset(found)
    return best.get(len(word), (0, frozenset[str]()))[1]


@lru_cache(maxsize=256)  # bounded: callers may ask about any text
def _within(part: str) -> frozenset[str]:
    """Everything that the part is a part of; the whole body for every one."""
    wholes = set(_PART_OF.get(part, "").split())
    for whole in tuple(wholes):
        wholes |= _within(whole)
    return frozenset(wholes | {"WHOLEBODY"} - {part})
